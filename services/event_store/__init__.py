"""The event store: streams of events and the outcomes of commands, on SQLite or PostgreSQL."""

from services.event_store.errors import Conflict, StoreUnavailable, WritesStopped
from services.event_store.outcomes import Outcome
from services.event_store.payment_attempts import Attempt, AttemptClosure, AttemptState
from services.event_store.store import EventStore, ReadResult, open_store

__all__ = [
    "Attempt",
    "AttemptClosure",
    "AttemptState",
    "Conflict",
    "EventStore",
    "Outcome",
    "ReadResult",
    "StoreUnavailable",
    "WritesStopped",
    "open_store",
]
