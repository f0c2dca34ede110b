"""Converts recorded events to rows of the event store and back: JSON by Pydantic, stable topics."""

from __future__ import annotations

from datetime import datetime

import orjson
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent

from domain.events import EVENTS, Metadata, RecordedEvent
from domain.values import STORED


class UnreadableEvent(Exception):
    """A stored event that this build can't read: its topic is unknown or its data invalid."""


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
        return StoredEvent(
            originator_id=domain_event.checkout_id,
            originator_version=domain_event.version,
            topic=domain_event.event.topic(),
            state=orjson.dumps(
                {
                    "at": domain_event.at,
                    "data": domain_event.event.model_dump(mode="json"),
                    "meta": domain_event.metadata.model_dump(mode="json"),
                }
            ),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> RecordedEvent:
        """The event in a row. Raises `UnreadableEvent`."""
        event_class = EVENTS.get(stored_event.topic)
        where = f"{stored_event.originator_id} version {stored_event.originator_version}"
        if event_class is None:
            raise UnreadableEvent(f"{where}: unknown event topic {stored_event.topic!r}")
        try:
            state = orjson.loads(stored_event.state)
            return RecordedEvent(
                checkout_id=str(stored_event.originator_id),
                version=stored_event.originator_version,
                at=_time(state["at"]),
                event=event_class.model_validate(state["data"], context=STORED),
                metadata=Metadata.model_validate(state["meta"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableEvent(
                f"{where}: {stored_event.topic} can't be read: {error}"
            ) from error


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("its time has no offset")
    return at
