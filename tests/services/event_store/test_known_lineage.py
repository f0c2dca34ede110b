"""A process knows its store's epoch at most a second late, and keeps it while the store is down."""

import asyncio
import threading

import pytest

from domain.lineage import Lineage
from services.event_store import EventStore, StoreUnavailable
from services.event_store.known import FRESH_SECONDS
from services.event_store.known_lineage import KnownLineage
from tests.eventually import eventually, eventually_async


class Clock:
    """The lineage of a store, and how often it was read."""

    def __init__(self) -> None:
        self.lineage = Lineage("a", 0)
        self.reads = 0
        self.failure: Exception | None = None
        self.answers = threading.Event()
        self.answers.set()

    def read(self) -> Lineage:
        self.reads += 1
        self.answers.wait(30)
        if self.failure:
            raise self.failure
        return self.lineage


async def test_a_new_epoch_is_known_soon_without_a_read_each_time(store: EventStore):
    known = store.known_lineage
    first = store.begin_epoch()

    async def is_latest() -> bool:
        return await known.latest() == first

    await eventually_async(is_latest, within=FRESH_SECONDS + 2)
    second = store.begin_epoch()
    eventually(lambda: known.fresh() == second, within=FRESH_SECONDS + 2)


async def test_within_a_second_the_store_is_read_once_however_many_ask():
    source = Clock()
    known = KnownLineage(source.read)
    await asyncio.sleep(FRESH_SECONDS)

    await asyncio.gather(*(known.latest() for _ in range(100)))

    assert source.reads == 2


async def test_a_store_that_is_down_or_hangs_keeps_the_last_known_epoch():
    source = Clock()
    known = KnownLineage(source.read)
    await asyncio.sleep(FRESH_SECONDS)
    source.failure = StoreUnavailable("down")

    assert await known.latest() == Lineage("a", 0)
    with pytest.raises(StoreUnavailable):
        known.fresh()

    await asyncio.sleep(FRESH_SECONDS)
    source.answers.clear()
    try:
        assert await asyncio.wait_for(known.latest(), 5) == Lineage("a", 0)
    finally:
        source.answers.set()
    source.failure, source.lineage = None, Lineage("a", 1)

    async def is_latest() -> bool:
        return (await known.latest()).epoch == 1

    await eventually_async(is_latest, within=FRESH_SECONDS + 4)


def test_what_is_read_while_an_epoch_begins_is_read_again(store: EventStore):
    known, epochs = store.known_lineage, []

    def read() -> str:
        epochs.append(known.value.epoch)
        if len(epochs) == 1:
            begun = store.begin_epoch()
            eventually(lambda: known.fresh() == begun, within=FRESH_SECONDS + 2)
            return "of the epoch before"
        return "of the new one"

    assert known.within_one_epoch(read) == ("of the new one", epochs[-1])
    assert epochs == [0, store.lineage().epoch]
