"""Between recorded events and the rows of the event store: JSON by Pydantic, under stable topics."""

from __future__ import annotations

from datetime import datetime

import orjson
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent

from domain.events import EVENTS, Metadata, RecordedEvent
from domain.values import STORED


class UnreadableEvent(Exception):
    """A stored event that this build can't read: unknown topic, or data that is no such event."""


class PydanticMapper(Mapper[str]):
    """Writes an event as `{"at", "data", "meta"}`; the topic names its class and schema version."""

    def __init__(self) -> None:
        super().__init__(JSONTranscoder())

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The row of an event."""
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
        """The event of a row. Raises `UnreadableEvent`."""
        event_class = EVENTS.get(stored_event.topic)
        where = f"{stored_event.originator_id} version {stored_event.originator_version}"
        if event_class is None:
            raise UnreadableEvent(f"{where}: unknown event topic {stored_event.topic!r}")
        try:
            state = orjson.loads(stored_event.state)
            return RecordedEvent(
                checkout_id=str(stored_event.originator_id),
                version=stored_event.originator_version,
                at=_moment(state["at"]),
                event=event_class.model_validate(state["data"], context=STORED),
                metadata=Metadata.model_validate(state["meta"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableEvent(
                f"{where}: {stored_event.topic} can't be read: {error}"
            ) from error


def _moment(told: str) -> datetime:
    at = datetime.fromisoformat(told)
    if at.tzinfo is None:
        raise ValueError("its time has no offset")
    return at
