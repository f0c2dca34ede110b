"""A stored row that can't be read stops its own checkout alone, until it can be read again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson
import pytest
from prometheus_client import REGISTRY

from services.event_store import EventStore
from services.event_store.event_mapper import PydanticMapper
from services.outbox_relay.republish import Republish
from services.runtime.metrics import SET_ASIDE
from tests.eventually import eventually_async
from tests.services.audit.given import sql
from tests.services.event_store.samples import event, stream
from tests.services.outbox_relay.conftest import RunsRelay, versions_on
from tests.services.store_restore.given import EventTopic

_BY_VERSION = "WHERE originator_id = %s AND originator_version = %s"
_GOOD = orjson.loads(PydanticMapper().to_stored_event(event("a", 3)).state)


def write(database: str, checkout_id: str, version: int, state: bytes | None = None) -> None:
    """Give the row of an event this state, by default what it should be."""
    good = PydanticMapper().to_stored_event(event(checkout_id, version)).state
    statement = f"UPDATE stored_events SET state = %s {_BY_VERSION}"
    sql(database, statement, good if state is None else state, checkout_id, version)


def delete(database: str, checkout_id: str, version: int) -> None:
    sql(database, f"DELETE FROM stored_events {_BY_VERSION}", checkout_id, version)


def insert(database: str, checkout_id: str, version: int) -> None:
    row = PydanticMapper().to_stored_event(event(checkout_id, version))
    values = (checkout_id, version, row.topic, row.state)
    names = "originator_id, originator_version, topic, state"
    sql(database, f"INSERT INTO stored_events ({names}) VALUES (%s, %s, %s, %s)", *values)


async def until_on(topic: EventTopic, **expected: Sequence[int]) -> None:
    """Wait until exactly these versions are on the topic, each once and in this order."""
    wanted = {name: list(versions) for name, versions in expected.items()}

    async def is_so() -> bool:
        return await versions_on(topic) == wanted

    try:
        await eventually_async(is_so, 30)
    except AssertionError:
        assert await versions_on(topic) == wanted


async def until_published(store: EventStore) -> None:
    async def is_so() -> bool:
        return store.publication.read().position == store.newest()

    await eventually_async(is_so, 30)


UNREADABLE = {
    "broken JSON": b'{"at": ',
    "empty": b"",
    "no object": b"[]",
    "no time": orjson.dumps({**_GOOD, "at": None}),
    "no metadata": orjson.dumps({**_GOOD, "meta": {}}),
}


@pytest.mark.parametrize("state", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_other_checkouts_go_on_and_its_own_is_taken_up_again_in_order(
    store: EventStore, database: str, topic: EventTopic, relaying: RunsRelay, state: bytes
):
    store.append(stream("a", 1, 5))
    store.append(stream("b", 1, 2))
    write(database, "a", 3, state)

    async with relaying() as relay:
        await until_on(topic, a=[1, 2], b=[1, 2])
        store.append([event("a", 6), event("b", 3)])
        await until_on(topic, a=[1, 2], b=[1, 2, 3])
        [aside] = store.set_aside.all()
        assert (aside.checkout_id, aside.version) == ("a", 3)
        assert "a version 3" in aside.reason
        assert relay.failure is None

        write(database, "a", 3)
        await until_on(topic, a=range(1, 7), b=[1, 2, 3])
        assert store.set_aside.all() == []
        store.append([event("a", 7)])
        await until_on(topic, a=range(1, 8), b=[1, 2, 3])


async def test_a_null_from_another_program_is_set_aside_too(
    store: EventStore, database: str, topic: EventTopic, relaying: RunsRelay
):
    store.append([*stream("a", 1, 2), event("b", 1)])
    sql(database, f"UPDATE stored_events SET state = NULL {_BY_VERSION}", "a", 2)
    async with relaying():
        await until_on(topic, a=[1], b=[1])


async def test_a_second_damaged_row_keeps_the_rest_of_its_checkout_waiting(
    store: EventStore, database: str, topic: EventTopic, relaying: RunsRelay
):
    store.append(stream("a", 1, 6))
    for version in (2, 5):
        write(database, "a", version, b"?")
    async with relaying():
        await until_on(topic, a=[1])
        write(database, "a", 2)
        await until_on(topic, a=range(1, 5))
        assert [aside.version for aside in store.set_aside.all()] == [5]
        write(database, "a", 5)
        await until_on(topic, a=range(1, 7))


async def test_a_row_that_was_deleted_leaves_no_hole_and_may_be_inserted_again(
    store: EventStore, database: str, topic: EventTopic, relaying: RunsRelay
):
    store.append([*stream("a", 1, 4), event("b", 1)])
    write(database, "a", 2, b"?")
    async with relaying():
        await until_on(topic, a=[1], b=[1])
        delete(database, "a", 2)
        store.append([event("a", 5), event("b", 2)])
        await until_on(topic, a=[1], b=[1, 2])
        assert [aside.version for aside in store.set_aside.all()] == [2]

        insert(database, "a", 2)  # which gives it a position after those of its successors
        store.append([event("a", 6)])
        await until_on(topic, a=range(1, 7), b=[1, 2])
        assert store.set_aside.all() == []


async def test_a_last_row_that_is_deleted_and_inserted_again_is_published(
    store: EventStore, database: str, topic: EventTopic, relaying: RunsRelay
):
    """SQLite gives the same position out again, which the relay has passed."""
    store.append(stream("a", 1, 2))
    write(database, "a", 2, b"?")
    async with relaying():
        await until_on(topic, a=[1])
        await until_published(store)
        delete(database, "a", 2)
        insert(database, "a", 2)
        store.append([event("a", 3)])
        await until_on(topic, a=[1, 2, 3])


async def test_more_than_a_batch_is_taken_up_again(
    store: EventStore,
    database: str,
    topic: EventTopic,
    relaying: RunsRelay,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("services.outbox_relay.relay._BATCH", 4)
    store.append(stream("a", 1, 14))
    write(database, "a", 2, b"?")
    async with relaying():
        await until_on(topic, a=[1])
        await until_published(store)
        write(database, "a", 2)
        await until_on(topic, a=range(1, 15))
        assert store.set_aside.all() == []


async def test_republishing_passes_over_what_is_set_aside(
    store: EventStore, database: str, topic: EventTopic, relaying: RunsRelay
):
    store.append([*stream("a", 1, 4), *stream("b", 1, 2)])
    write(database, "a", 3, b"?")
    async with relaying():
        await until_on(topic, a=[1, 2], b=[1, 2])
        await until_published(store)
        ends = dict(store.publication.read().ends)
        run = Republish(store, topic.name, ends, 0)
        run.request()
        await run.watch(lambda _: None, asyncio.Event(), patience=30)
        await until_on(topic, a=[1, 2, 1, 2], b=[1, 2, 1, 2])

        write(database, "a", 3)
        await until_on(topic, a=[1, 2, 1, 2, 3, 4], b=[1, 2, 1, 2])


async def test_a_published_row_that_is_damaged_later_is_found_by_republishing(
    store: EventStore, database: str, topic: EventTopic, relaying: RunsRelay
):
    store.append(stream("a", 1, 4))
    async with relaying():
        await until_on(topic, a=range(1, 5))
        await until_published(store)
        write(database, "a", 2, b"?")
        Republish(store, topic.name, dict(store.publication.read().ends), 0).request()
        await until_on(topic, a=[1, 2, 3, 4, 1])
        write(database, "a", 2)
        await until_on(topic, a=[1, 2, 3, 4, 1, 2, 3, 4])


async def test_the_number_is_a_metric(
    store: EventStore, database: str, topic: EventTopic, relaying: RunsRelay
):
    SET_ASIDE.set(0)  # what another test left
    store.append([*stream("a", 1, 2), *stream("b", 1, 2)])
    for checkout_id in ("a", "b"):
        write(database, checkout_id, 2, b"?")
    async with relaying():

        async def is_counted() -> bool:
            return REGISTRY.get_sample_value("checkout_relay_set_aside_checkouts") == 2

        await eventually_async(is_counted, 30)
