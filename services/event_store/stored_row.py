"""Events as they lie in the store, not read yet: one that can't be read stops nobody who looks."""

from __future__ import annotations

from dataclasses import dataclass

from eventsourcing.persistence import Notification

from domain.events import RecordedEvent
from services.event_store.event_mapper import PydanticMapper

_MAPPER = PydanticMapper()


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row of the events' table. `position` is its place in the order of all commits."""

    position: int
    checkout_id: str
    version: int
    topic: str
    _stored: Notification

    @classmethod
    def of(cls, stored: Notification) -> StoredRow:
        """The row that a recorder found."""
        return cls(
            stored.id,
            str(stored.originator_id),
            stored.originator_version,
            str(stored.topic),
            stored,
        )

    def event(self) -> RecordedEvent:
        """What it says. Raises `UnreadableEvent`."""
        return _MAPPER.to_domain_event(self._stored)
