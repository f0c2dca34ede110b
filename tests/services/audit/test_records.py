"""The audit compares the records of every projection with the store, and a rebuild repairs them."""

from collections.abc import AsyncIterator

import pytest
from fakeredis import FakeAsyncRedis

from domain.commands import CreateCheckout
from projections.list_page import ListFilter
from projections.redis.server_identity import RunId
from projections.redis.views import RedisViews
from projections.registry import PROJECTIONS
from services.audit.all_views import wrong_views
from services.audit.views_check import ViewsCheck
from services.audit.views_rebuild import Rebuild
from services.event_store import EventStore
from tests.projections.given import AlwaysTrusted
from tests.services.audit.given import Shop

CART = CreateCheckout.parse({"items": [{"id": "item_123", "quantity": 1}]})


@pytest.fixture
async def views(store: EventStore, shop: Shop) -> AsyncIterator[RedisViews]:
    """The records of two checkouts, complete."""
    for checkout_id in "ab":
        shop.ask(CART, checkout_id)
    opened = RedisViews(
        FakeAsyncRedis(), RunId("fake"), "checkout.", store.known_lineage, AlwaysTrusted()
    )
    await rebuilt(opened, store)
    yield opened
    await opened.close()


async def rebuilt(views: RedisViews, store: EventStore) -> int:
    """Rebuild, and return how many records were repaired."""
    rebuild = Rebuild(views, store, no_positions, lambda *_: None)
    await rebuild.run()
    return rebuild.result.mended


async def no_positions() -> dict[str, int]:
    return {}


async def lines(views: RedisViews, store: EventStore) -> list[str]:
    """What is wrong with the records."""
    check = ViewsCheck(views, store, grace=0.0)
    looked = [wrong async for wrong in check.look(list(store.current(["a", "b"]).values()))]
    ended = [wrong async for wrong in check.end(is_whole_store=True)]
    return [wrong.violation().line() for wrong in looked + ended]


@pytest.mark.parametrize("name", [it.name for it in PROJECTIONS])
async def test_a_lost_record_is_found_and_written_again(
    views: RedisViews, store: EventStore, name: str
):
    assert await lines(views, store) == []
    key = views.keys.record(name, "a")
    record = await views._redis.get(key)
    await views._redis.delete(key)

    assert await views.outdated({"a": 3, "b": 3}) == ["a"]
    assert await lines(views, store) == [f"a: has no {name.replace('_', ' ')} in Redis"]

    await rebuilt(views, store)
    assert await views._redis.get(key) == record
    assert await lines(views, store) == []


@pytest.mark.parametrize("name", [it.name for it in PROJECTIONS])
async def test_a_forged_record_is_found_and_replaced(
    views: RedisViews, store: EventStore, name: str
):
    key = views.keys.record(name, "a")
    record = await views._redis.get(key)
    head, value = record.split(b"\n", 1)
    await views._redis.set(key, head + b"\n" + value.replace(b"1", b"2"))

    [line] = await lines(views, store)
    assert line.startswith(
        f"a version 3: the {name.replace('_', ' ')} in Redis differs from the store"
    )

    assert await rebuilt(views, store) == 1
    assert await views._redis.get(key) == record


@pytest.mark.parametrize("name", [it.name for it in PROJECTIONS])
async def test_a_record_that_is_none_is_found_and_replaced(
    views: RedisViews, store: EventStore, name: str
):
    key = views.keys.record(name, "a")
    record = await views._redis.get(key)
    await views._redis.set(key, "what is this\n{}")

    assert await views.outdated({"a": 3, "b": 3}) == ["a"]
    [line] = await lines(views, store)
    assert line.startswith("a version 0: ")

    await rebuilt(views, store)
    assert await views._redis.get(key) == record


@pytest.mark.parametrize("name", [it.name for it in PROJECTIONS])
async def test_a_record_of_no_checkout_is_found_and_removed_with_its_index_entries(
    views: RedisViews, store: EventStore, name: str
):
    stored = (await views._redis.get(views.keys.record(name, "a"))).decode()
    await views._redis.set(views.keys.record(name, "stranger"), stored)

    [line] = await lines(views, store)
    assert line.startswith(f"stranger version 3: there is a {name.replace('_', ' ')} in Redis of a")

    assert await rebuilt(views, store) == 1
    assert not await views._redis.exists(views.keys.record(name, "stranger"))


async def test_a_rebuild_that_mends_nothing_leaves_the_list_as_it_is(
    views: RedisViews, store: EventStore
):
    assert await rebuilt(views, store) == 0
    page = await views.page(ListFilter(), 20)
    assert page
    assert page.total_count == 2


async def test_a_lost_index_is_found_and_written_again(views: RedisViews, store: EventStore):
    for index in await views._redis.keys(views.keys.index("list_index:*")):
        await views._redis.delete(index)

    what = "the list entry in Redis is missing from an index, so lists lack it"
    assert await lines(views, store) == [f"{it} version 3: {what}" for it in "ab"]

    await rebuilt(views, store)
    assert await lines(views, store) == []
    page = await views.page(ListFilter(), 20)
    assert page
    assert page.total_count == 2


async def miscounted(views: RedisViews, store: EventStore) -> list[str]:
    """What `checkout views check` reports."""
    return [found.line() async for found in wrong_views(store, views, lambda *_: None)]


async def test_lost_counts_are_found_and_counted_again(views: RedisViews, store: EventStore):
    assert await miscounted(views, store) == []
    await views._redis.delete(views.keys.index_counts)

    [line] = await miscounted(views, store)
    assert line.startswith("the counts of index entries in Redis were lost: lists that use it")

    await rebuilt(views, store)
    assert await miscounted(views, store) == []
    assert await views.page(ListFilter(), 20)


async def test_an_entry_too_many_is_found_and_removed(views: RedisViews, store: EventStore):
    index = "list_index:not_ready_for_payment"
    await views._redis.zadd(views.keys.index(index), {f"{1:015x}stranger": 0})

    [line] = await miscounted(views, store)
    assert line.startswith(f"the index {index} in Redis has 3 entries instead of 2: lists that use")

    await rebuilt(views, store)
    assert await miscounted(views, store) == []
    page = await views.page(ListFilter(), 20)
    assert page
    assert page.total_count == 2
