"""The event store: streams of events and the outcomes of commands, on SQLite or PostgreSQL."""

from services.store.outcomes import Outcome
from services.store.store import Conflict, EventStore, Snapshot, StoreUnavailable, open_store

__all__ = ["Conflict", "EventStore", "Outcome", "Snapshot", "StoreUnavailable", "open_store"]
