"""The relay goes on from its position, whatever fails while it takes over."""

import asyncio
from collections.abc import Callable
from typing import Any

from services.event_store import StoreUnavailable
from services.event_store.publication import Publication
from services.kafka.topics import Topics
from services.outbox_relay.relay import OutboxRelay
from tests.eventually import eventually_async


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

    @property
    def write_guard(self) -> "Store":
        return self

    def reason(self) -> None:
        return None

    def read(self) -> Publication:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("not now")
        return Publication(1_000_000)

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
