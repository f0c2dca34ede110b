"""The relay goes on from its position, whatever fails while it takes over."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.event_store import EventStore, StoreUnavailable, open_store
from services.event_store.positions import RELAY
from services.event_store.publication import Publication, RelayState
from services.kafka.producer_record import ProducerRecord
from services.kafka.topics import Topics
from services.outbox_relay.relay import OutboxRelay
from tests.eventually import eventually_async
from tests.services.event_store.samples import stream
from tests.services.outbox_relay.conftest import versions_on
from tests.services.store_restore.given import EventTopic


class Store:
    """A store whose position can't be read at first."""

    def __init__(self) -> None:
        self.failures = 2
        self.asked_after: list[int] = []
        self.locks_taken = 0

    def watch(self, _: Callable[[], None]) -> Callable[[], None]:
        return lambda: None

    def try_lock(self, _: str) -> Callable[[], bool]:
        self.locks_taken += 1
        return lambda: True

    @property
    def publication(self) -> "Store":
        return self

    def read(self) -> Publication:
        return self.state().publication

    def state(self) -> RelayState:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("not now")
        return RelayState(Publication(1_000_000), newest=1_000_000)

    def newest(self) -> int:
        return 1_000_000

    def rows(self, position: int, _: int) -> list[Any]:
        self.asked_after.append(position)
        return []

    def purge_outcomes(self, _: float) -> int:
        return 0


async def test_a_relay_whose_position_could_not_be_read_does_not_begin_at_zero():
    store = Store()
    relay = OutboxRelay(store, {"bootstrap_servers": "127.0.0.1:1"}, Topics(), 1_000)
    await relay.start()
    try:

        async def has_looked() -> bool:
            return bool(store.asked_after)

        await eventually_async(has_looked)
    finally:
        await relay.stop()

    assert set(store.asked_after) == {1_000_000}
    assert store.locks_taken == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_check_of_the_topic_during_a_batch_does_not_make_the_relay_send_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store = open_store(f"sqlite:///{tmp_path}/events.db")
    store.append(stream("one", 1, 3))
    relay = OutboxRelay(store, {"bootstrap_servers": "127.0.0.1:1"}, Topics(), 1_000)
    sent: list[ProducerRecord] = []

    async def allows(*_: object) -> bool:
        return True

    async def publish(messages: Sequence[ProducerRecord]) -> dict[TopicPartition, int]:
        sent.extend(messages)
        relay.guard.ends = {0: len(sent)}
        return {TopicPartition(Topics().events, 0): len(sent)}

    monkeypatch.setattr(relay.guard, "allows", allows)
    monkeypatch.setattr(relay._publisher, "publish", publish)
    await relay.start()
    try:

        async def is_published() -> bool:
            return store.position(RELAY) == store.newest()

        await eventually_async(is_published)
    finally:
        await relay.stop()
        store.close()

    assert len(sent) == 3


async def test_a_batch_costs_the_store_two_reads_and_a_transaction(
    store: EventStore, topic: EventTopic, monkeypatch: pytest.MonkeyPatch
):
    topics = Topics(topic.name.removesuffix("events"))
    relay = OutboxRelay(store, topic.connection, topics, 1_000)
    relay._holds_lock = lambda: True
    store.append(stream("one", 1, 2))
    await relay._run_once()
    store.append(stream("one", 3, 4))
    calls: list[str] = []
    for name in ("run", "run_together", "select_after", "select_newest", "select_position"):
        original = getattr(store._recorder, name)

        def counted(*arguments: Any, name: str = name, original: Any = original) -> Any:
            calls.append(name)
            return original(*arguments)

        monkeypatch.setattr(store._recorder, name, counted)
    await relay._run_once()
    await relay.stop()

    assert calls == ["run", "select_after", "run_together"]
    assert (await versions_on(topic))["one"] == [1, 2, 3, 4]
