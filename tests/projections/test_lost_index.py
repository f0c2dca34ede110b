"""A list is not shown while an index lacks an entry, whatever was lost, and a rebuild completes it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from domain.checkout import Checkout
from domain.values import Status
from projections.list_index import INDEX
from projections.list_page import ListFilter
from projections.rebuild import rebuild
from projections.redis.views import RedisViews
from tests.projections.listed import CANCELED, READY, listed, naive_list, pages, show
from tests.projections.test_rebuild import Store

CHECKOUTS = [
    listed("a", 1, READY, "ada"),
    listed("b", 2, CANCELED, "bob"),
    listed("c", 3),
    listed("d", 4, READY, "ada"),
]
STORE = Store([CHECKOUTS[:2], CHECKOUTS[2:]])
FILTERS = [ListFilter(), ListFilter(READY), ListFilter(CANCELED), ListFilter(buyer_email="ada")]


def ready(views: RedisViews) -> str:
    return views.keys.index(f"{INDEX}{READY}")


async def an_index(views: RedisViews) -> None:
    await views._redis.delete(ready(views))


async def an_index_that_has_grown_again(views: RedisViews) -> None:
    await an_index(views)
    await show(views, listed("e", 5))


async def an_entry(views: RedisViews) -> None:
    [oldest] = await views._redis.zrange(ready(views), 0, 0)
    await views._redis.zrem(ready(views), oldest)


async def nothing_and_an_entry_was_added(views: RedisViews) -> None:
    await views._redis.zadd(ready(views), {f"{1:015x}stranger": 0})


async def the_counts(views: RedisViews) -> None:
    await views._redis.delete(views.keys.index_counts)


async def the_counts_and_an_index(views: RedisViews) -> None:
    await the_counts(views)
    await an_index(views)


async def the_counts_before_a_write(views: RedisViews) -> None:
    await the_counts_and_an_index(views)
    await show(views, listed("e", 5))


LOSSES: list[Callable[[RedisViews], Awaitable[None]]] = [
    an_index,
    an_index_that_has_grown_again,
    an_entry,
    nothing_and_an_entry_was_added,
    the_counts,
    the_counts_and_an_index,
    the_counts_before_a_write,
]


async def assert_whole(views: RedisViews, checkouts: list[Checkout]) -> None:
    assert await views.miscounted() == []
    for wanted in FILTERS:
        found = await pages(views, wanted, 20)
        assert [item for page in found for item in page] == naive_list(checkouts, wanted)


@pytest.mark.parametrize("lose", LOSSES, ids=lambda it: it.__name__)
@pytest.mark.parametrize("wanted", [ListFilter(), ListFilter(READY)], ids=["all", "of a status"])
async def test_no_list_is_shown_after_a_loss_until_a_rebuild(
    views: RedisViews, lose: Callable[[RedisViews], Awaitable[None]], wanted: ListFilter
):
    await show(views, *CHECKOUTS)
    await assert_whole(views, CHECKOUTS)

    await lose(views)

    assert await views.miscounted()
    assert await views.page(wanted, 20) is None
    assert await views.page(wanted, 1) is None
    assert not await views.are_built()
    known = CHECKOUTS if await views.get("e") is None else [*CHECKOUTS, listed("e", 5)]

    assert await rebuild(views, Store([known]), {}) == len(known)

    await assert_whole(views, known)


async def test_a_list_from_other_indexes_is_shown_meanwhile(views: RedisViews):
    await show(views, *CHECKOUTS)
    await an_index(views)

    [[item]] = await pages(views, ListFilter(CANCELED), 20)

    assert item["id"] == "b"


async def test_a_rebuild_ends_with_the_right_numbers_while_writers_go_on(views: RedisViews):
    chance = random.Random(5)
    latest = {f"checkout_{n}": listed(f"checkout_{n}", n, READY, "ada") for n in range(60)}
    await show(views, *latest.values())
    await the_counts(views)
    sweeping, has_ended = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        while not (has_ended.is_set() and sweeping.is_set()):
            each = latest[chance.choice(list(latest))]
            status = chance.choice(list(Status))
            newer = replace(each, version=each.version + 1, status=status)
            latest[each.id] = newer  # As in the store: committed, then shown.
            await show(views, newer)

    class Live(Store):
        def __init__(self) -> None:
            super().__init__([])

        def sweep(self, position: int, limit: int) -> tuple[int, list[Checkout]]:
            sweeping.set()
            found = list(latest.values())[position : position + 7]
            return position + len(found), found

    writers = [asyncio.create_task(write()) for _ in range(3)]
    count = await rebuild(views, Live(), {})
    has_ended.set()
    await asyncio.gather(*writers)

    assert count == len(latest)
    await assert_whole(views, list(latest.values()))


async def test_a_rebuild_that_was_overtaken_neither_ends_nor_empties_an_index(views: RedisViews):
    await show(views, *CHECKOUTS)
    overtaken = await views.begin_rebuild()
    latest = await views.begin_rebuild()

    assert not await views.finish_rebuild(overtaken, {})
    assert not await views.are_built()
    await show(views, *CHECKOUTS)
    assert await views.finish_rebuild(latest, {})
    counts, name = views.keys.index_counts, f"{INDEX}{READY}"
    await views._counts._reset(keys=[counts, ready(views)], args=[overtaken.name, name])

    await assert_whole(views, CHECKOUTS)


async def test_a_rebuild_whose_counts_are_lost_meanwhile_does_not_end(views: RedisViews):
    class Losing(Store):
        def sweep(self, position: int, limit: int) -> tuple[int, list[Checkout]]:
            asyncio.run_coroutine_threadsafe(the_counts(views), loop).result(10)
            return super().sweep(position, limit)

    loop = asyncio.get_running_loop()
    assert await rebuild(views, Losing([CHECKOUTS]), {}) is None

    await rebuild(views, STORE, {})
    await assert_whole(views, CHECKOUTS)


async def test_a_checkout_whose_record_was_lost_is_listed_once_after_it_moves(views: RedisViews):
    await show(views, *CHECKOUTS)
    await views._redis.delete(views.keys.record("list_entry", "a"))
    moved = replace(CHECKOUTS[0], version=2, status=CANCELED)
    await show(views, moved)

    for left in (ListFilter(), ListFilter(buyer_email="ada")):
        assert await views.page(left, 20) is None

    assert await views.are_built()
    await assert_whole(views, [moved, *CHECKOUTS[1:]])
