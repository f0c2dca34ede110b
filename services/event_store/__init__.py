"""The event store: streams of events and the outcomes of commands, on SQLite or PostgreSQL."""

from services.event_store.errors import (
    Conflict,
    SchemaOutdated,
    StoreUnavailable,
    WritesStopped,
)
from services.event_store.opening import open_schema, open_store
from services.event_store.outcomes import Outcome
from services.event_store.payment_attempts import Attempt, AttemptClosure, AttemptState
from services.event_store.store import EventStore, ReadResult

__all__ = [
    "Attempt",
    "AttemptClosure",
    "AttemptState",
    "Conflict",
    "EventStore",
    "Outcome",
    "ReadResult",
    "SchemaOutdated",
    "StoreUnavailable",
    "WritesStopped",
    "open_schema",
    "open_store",
]
