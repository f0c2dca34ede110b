"""A relay on a database of either kind and a topic of its own on a real Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from services.event_store import open_store
from services.kafka.topic_reader import records_of
from services.kafka.topics import Topics
from services.outbox_relay.relay import OutboxRelay
from tests.services.event_store.conftest import (
    database,
    open_another,
    opened,
    postgres_database,
    sqlite_database,
    store,
)
from tests.services.store_restore.given import EventTopic

__all__ = ["database", "open_another", "opened", "postgres_database", "sqlite_database", "store"]

RunsRelay = Callable[[], AbstractAsyncContextManager[OutboxRelay]]


@pytest.fixture
async def topic(kafka_bootstrap: str) -> EventTopic:
    made = EventTopic(kafka_bootstrap)
    await made.create()
    return made


@pytest.fixture
def relaying(database: str, topic: EventTopic, monkeypatch: pytest.MonkeyPatch) -> RunsRelay:
    """Runs a relay, as a process of its own would, until the block ends."""
    monkeypatch.setattr("services.outbox_relay.relay._RETRY_SECONDS", 0.05)

    @asynccontextmanager
    async def run() -> AsyncIterator[OutboxRelay]:
        own = open_store(database)
        topics = Topics(topic.name.removesuffix("events"))
        relay = OutboxRelay(own, topic.connection, topics, 1_000)
        await relay.start()
        try:
            yield relay
        finally:
            await relay.stop()
            own.close()

    return run


async def versions_on(topic: EventTopic) -> dict[str, list[int]]:
    """The versions of each checkout on the topic, in the order of their records."""
    found: dict[str, list[int]] = {}
    async for record in records_of(topic.connection, topic.name):
        headers = dict(record.headers)
        found.setdefault(headers["ce_subject"].decode(), []).append(int(headers["ce_sequence"]))
    return found
