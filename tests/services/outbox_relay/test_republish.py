"""A request to publish stored events again, which the relay carries out."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.event_store import EventStore, open_store
from services.event_store.publication import Publication
from services.outbox_relay.republish import NotPublishing, Republish, Republished
from tests.services.event_store.samples import stream

TOPIC = "checkout.events"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    store = open_store(f"sqlite:///{tmp_path}/events.db")
    store.append(stream("a", 1, 6))
    store.publication.restart(Publication(6, topic=TOPIC, ends={0: 6}))
    yield store
    store.close()


def ignore(_: Republished) -> None:
    """Shows no progress."""


def test_a_request_moves_the_relay_and_says_where_the_topic_ends(store: EventStore):
    Republish(store, TOPIC, {0: 0, 1: 0}, 2).request()
    assert store.publication.read() == Publication(2, topic=TOPIC, ends={0: 0, 1: 0})


async def test_it_waits_until_the_newest_event_of_its_start_is_published(store: EventStore):
    run = Republish(store, TOPIC, {0: 0}, 0)
    run.request()
    store.append(stream("b", 1, 3))
    waiting = asyncio.create_task(run.watch(ignore, asyncio.Event()))
    for position in (4, 9):
        before = store.publication.read()
        assert store.publication.advance(before, Publication(position, topic=TOPIC))
    await waiting
    assert run.progress.is_complete
    assert (run.progress.until, run.progress.position) == (6, 9)


async def test_without_a_relay_it_gives_up_and_the_request_stays(store: EventStore):
    run = Republish(store, TOPIC, {0: 0}, 1)
    run.request()
    with pytest.raises(NotPublishing, match="position has been 1"):
        await run.watch(ignore, asyncio.Event(), patience=0.3)
    assert store.publication.read().position == 1


async def test_a_stop_ends_the_waiting_and_says_what_is_left(store: EventStore):
    run, stop_requested = Republish(store, TOPIC, {0: 0}, 1), asyncio.Event()
    run.request()
    stop_requested.set()
    await run.watch(ignore, stop_requested)
    assert not run.progress.is_complete
    assert "continues up to 6" in run.progress.line()
