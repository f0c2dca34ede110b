"""Stored events before they are decoded, so that an unreadable one does not stop its reader."""

from __future__ import annotations

from dataclasses import dataclass

from eventsourcing.persistence import Notification

from domain.events import RecordedEvent
from services.event_store.event_mapper import EventContent, PydanticMapper

_MAPPER = PydanticMapper()


@dataclass(frozen=True, slots=True)
class PositionedEvent:
    """An event and its position in commit order."""

    position: int
    recorded: RecordedEvent


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row of the events table. `position` is its place in commit order."""

    position: int
    checkout_id: str
    version: int
    topic: str
    _stored: Notification

    @classmethod
    def of(cls, stored: Notification) -> StoredRow:
        """The row for a notification of the eventsourcing library."""
        return cls(
            stored.id,
            str(stored.originator_id),
            stored.originator_version,
            str(stored.topic),
            stored,
        )

    def content(self) -> EventContent:
        """What is stored, whichever build wrote it. Raises `UnreadableEvent`."""
        return EventContent.read(self._stored)

    def event(self) -> RecordedEvent:
        """Decode the event. Raises `UnreadableEvent`."""
        return _MAPPER.to_domain_event(self._stored)
