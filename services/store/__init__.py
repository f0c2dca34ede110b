"""The event store: streams of events and the outcomes of commands, on SQLite or PostgreSQL."""

from services.store.attempts import Attempt, AttemptState, Settlement
from services.store.outcomes import Outcome
from services.store.store import Conflict, EventStore, Snapshot, StoreUnavailable, open_store

__all__ = [
    "Attempt",
    "AttemptState",
    "Conflict",
    "EventStore",
    "Outcome",
    "Settlement",
    "Snapshot",
    "StoreUnavailable",
    "open_store",
]
