"""An empty event store for each test, once of each kind, and an event topic on a real Kafka."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.event_store import EventStore, open_store
from tests.services.event_store.conftest import database, postgres_database, sqlite_database
from tests.services.store_restore.given import EventTopic

__all__ = ["database", "postgres_database", "sqlite_database"]


@pytest.fixture
def store(database: str) -> Iterator[EventStore]:
    opened = open_store(database)
    yield opened
    opened.close()


@pytest.fixture
async def topic(kafka_bootstrap: str) -> EventTopic:
    made = EventTopic(kafka_bootstrap)
    await made.create()
    return made
