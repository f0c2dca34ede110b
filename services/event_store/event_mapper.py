"""Converts recorded events to rows of the event store and back: JSON by Pydantic, stable topics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent

from domain.events import EVENTS, Event, Metadata, RecordedEvent, UnknownEvent
from domain.values import STORED
from services.event_store.upcasters import upcast


class UnreadableEvent(Exception):
    """A stored event that can't be read: no JSON, or not the data of its topic."""


@dataclass(frozen=True, slots=True)
class EventContent:
    """An event's row as JSON values. A later build's `data` and `metadata` hold more than this one knows."""

    at: datetime
    data: dict[str, Any]
    metadata: dict[str, Any]

    @classmethod
    def of(cls, recorded: RecordedEvent) -> EventContent:
        """What is stored of an event."""
        event, metadata = recorded.event, recorded.metadata.model_dump(mode="json")
        data = event.data if isinstance(event, UnknownEvent) else event.model_dump(mode="json")
        return cls(recorded.at, data, metadata)

    @classmethod
    def read(cls, stored: StoredEvent) -> EventContent:
        """What is stored in a row. Raises `UnreadableEvent`."""
        try:
            state = orjson.loads(stored.state)
            return cls(_time(state["at"]), _object(state["data"]), _object(state["meta"]))
        except (ValueError, KeyError, TypeError) as error:
            raise _unreadable(stored, error) from error


class PydanticMapper(Mapper[str]):
    """Writes an event as `{"at", "data", "meta"}`; the topic names its class and schema version.

    Used from the eventsourcing library: the `Mapper` interface, which its `EventStore.put` calls.
    Replaced: both conversions. The library's turn events into dicts through a transcoder, with the Python
    path as topic: moving a class would make its stored events unreadable. The transcoder that its
    constructor wants is never called.
    """

    def __init__(self) -> None:
        super().__init__(JSONTranscoder())

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The row for an event."""
        if not isinstance(domain_event, RecordedEvent):
            raise TypeError(f"{type(domain_event).__name__} is no recorded event")
        content = EventContent.of(domain_event)
        return StoredEvent(
            originator_id=domain_event.checkout_id,
            originator_version=domain_event.version,
            topic=domain_event.event.topic(),
            state=orjson.dumps({"at": content.at, "data": content.data, "meta": content.metadata}),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> RecordedEvent:
        """The event in a row, without fields that only a later build knows. Raises `UnreadableEvent`."""
        content = EventContent.read(stored_event)
        try:
            return RecordedEvent(
                checkout_id=str(stored_event.originator_id),
                version=stored_event.originator_version,
                at=content.at,
                event=_event(stored_event.topic, content.data),
                metadata=Metadata.model_validate(content.metadata, extra="ignore"),
            )
        except ValueError as error:
            raise _unreadable(stored_event, error) from error


def _event(topic: str, data: dict[str, Any]) -> Event | UnknownEvent:
    topic, data = upcast(topic, data)
    event_class = EVENTS.get(topic)
    if event_class is None:
        return UnknownEvent(topic, data)
    return event_class.model_validate(data, context=STORED, extra="ignore")


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("its time has no offset")
    return at


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{type(value).__name__} where an object should be")
    return value


def _unreadable(stored: StoredEvent, why: object) -> UnreadableEvent:
    where = f"{stored.originator_id} version {stored.originator_version}"
    return UnreadableEvent(f"{where}: {stored.topic} can't be read: {why}")
