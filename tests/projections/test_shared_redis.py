"""Systems that share a Redis database never see each other's checkouts, and no epoch sees an older one's."""

from collections.abc import AsyncIterator, Callable

import pytest

from projections.list_page import ListFilter
from projections.rebuild import rebuild
from projections.redis.views import Advance, RedisViews, connect
from projections.registry import render_view
from tests.projections.given import AlwaysTrusted, History
from tests.projections.listed import listed, show
from tests.projections.test_rebuild import Store

Open = Callable[[str, History], RedisViews]


@pytest.fixture
async def open_views(redis_of_ours: str) -> AsyncIterator[Open]:
    """Opens views of a topic prefix and a store, all in one empty database of a real Redis."""
    opened: list[RedisViews] = []

    def open_them(prefix: str, history: History) -> RedisViews:
        opened.append(connect(redis_of_ours, prefix, history, AlwaysTrusted()))
        return opened[-1]

    await open_them("", History())._redis.flushdb()
    yield open_them
    for views in opened:
        await views.close()


OURS, OTHERS = listed("a", version=1, email="ada@example.com"), listed("a", version=7)
ONE, ANOTHER = History("1" * 32), History("2" * 32)


@pytest.mark.parametrize(
    ("prefix", "history"),
    [("other.", ONE), ("", ONE), ("checkout.", ANOTHER)],
    ids=["another prefix", "no prefix", "another store"],
)
async def test_systems_on_one_database_are_strangers(
    open_views: Open, prefix: str, history: History
):
    ours, others = open_views("checkout.", ONE), open_views(prefix, history)
    await rebuild(ours, Store([[OURS]]), {"t/0": 4})

    assert not await others.are_built()
    assert await others.get("a") is None
    assert await others.page(ListFilter(), 20) is None
    assert await others.positions() == {}
    assert await others.outdated({"a": 1}) == ["a"]
    assert await ours.try_lock("rebuild", "us", 60)
    assert await others.try_lock("rebuild", "them", 60)

    await rebuild(others, Store([[OTHERS, listed("b")]]), {"t/0": 9})
    await show(others, listed("c"))

    assert await ours.get("a") == render_view(OURS)
    assert await ours.get("b") is None
    assert await ours.positions() == {"t/0": 4}
    page = await ours.page(ListFilter(), 20)
    assert page
    assert ([item["id"] for item in page.items], page.total_count) == (["a"], 1)
    [views, entries] = ours.raw_views()
    assert [it async for it in views.checkout_ids()] == ["a"]
    assert [it async for it in entries.checkout_ids()] == ["a"]


async def test_all_keys_begin_with_the_topic_prefix(open_views: Open):
    views = open_views("shop-2.", ONE)
    await rebuild(views, Store([[OURS]]), {"t/0": 4})
    await views.try_lock("rebuild", "us", 60)

    keys = await views._redis.keys("*")

    assert len(keys) == 8
    assert all(key.startswith(b"shop-2.") for key in keys)


async def test_a_new_epoch_takes_lower_versions_and_trusts_nothing_older(open_views: Open):
    history = History()
    views = open_views("checkout.", history)
    lost = [listed("a", version=6), listed("never published")]
    await rebuild(views, Store([lost]), {"t/0": 4})

    history.value = History(epoch=1).value

    assert not await views.are_built()
    assert await views.get("a") is None
    assert await views.page(ListFilter(), 20) is None
    kept = listed("a", version=5)
    await rebuild(views, Store([[kept]]), {"t/0": 4})
    assert await views.get("a") == render_view(kept, epoch=1)
    page = await views.page(ListFilter(), 20)
    assert page
    assert [item["id"] for item in page.items] == ["a"]
    assert await views.get("never published") is None


async def test_a_late_writer_of_the_epoch_before_changes_nothing(open_views: Open):
    history = History(epoch=1)
    views = open_views("checkout.", history)
    await rebuild(views, Store([[listed("a", version=5)]]), {"t/0": 4})

    await views.apply([render_view(listed("a", version=6), epoch=0)])
    await open_views("checkout.", History()).apply([], [Advance("t/0", None, 9)])

    assert await views.get("a") == render_view(listed("a", version=5), epoch=1)
    assert await views.positions() == {"t/0": 4}


async def test_a_rebuild_that_a_new_epoch_overtakes_does_not_count(open_views: Open):
    history = History()
    views = open_views("checkout.", history)
    begun = await views.begin_rebuild()

    history.value = History(epoch=1).value

    assert not await views.finish_rebuild(begun, {})
    assert not await views.are_built()


async def test_a_rebuild_removes_the_views_of_earlier_epochs_and_no_others(open_views: Open):
    strangers = [open_views("other.", History()), open_views("checkout.", ANOTHER)]
    for views in (*strangers, open_views("checkout.", History())):
        await rebuild(views, Store([[OURS]]), {"t/0": 4})

    views = open_views("checkout.", History(epoch=2))
    await rebuild(views, Store([[OURS]]), {"t/0": 4})

    assert [await it.are_built() for it in (views, *strangers)] == [True] * 3
    assert not await views._redis.keys(f"{views.keys.of_epoch(0).base}*")
