"""An empty event store for each test, once of each kind, and a shop that fills it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.event_store import EventStore, open_store
from tests.services.audit.given import Shop
from tests.services.event_store.conftest import database, postgres_database, sqlite_database

__all__ = ["database", "postgres_database", "sqlite_database"]


@pytest.fixture
def store(database: str) -> Iterator[EventStore]:
    opened = open_store(database)
    yield opened
    opened.close()


@pytest.fixture
def shop(store: EventStore) -> Shop:
    return Shop(store)
