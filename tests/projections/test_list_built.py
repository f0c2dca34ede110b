"""The list is made from the store like the views, and is not shown while it may lack something."""

from dataclasses import replace

import pytest

from projections.list_index import INDEX, ListIndexProjection
from projections.list_page import ListFilter, UnknownCursor
from projections.rebuild import rebuild
from projections.redis.views import RedisViews
from projections.registry import LIST_INDEX, render_view
from tests.projections.given import Redis
from tests.projections.listed import CANCELED, READY, listed, naive_list, pages, show
from tests.projections.test_rebuild import Store

CHECKOUTS = [listed("a", 1, READY, "ada"), listed("b", 2, CANCELED, "bob"), listed("c", 3)]
STORE = Store([CHECKOUTS[:2], CHECKOUTS[2:]])


async def assert_whole(views: RedisViews) -> None:
    for wanted in (
        ListFilter(),
        ListFilter(READY),
        ListFilter(buyer_email="ada"),
        ListFilter(CANCELED, "bob"),
    ):
        [items] = await pages(views, wanted, 20)
        assert items == naive_list(CHECKOUTS, wanted)


async def test_a_rebuild_makes_the_indexes(views: RedisViews):
    await views._redis.flushdb()

    await rebuild(views, STORE, {})

    await assert_whole(views)


async def test_a_rebuild_mends_an_index_whose_views_are_there(views: RedisViews):
    await show(views, *CHECKOUTS)
    await views._redis.delete(*(views.keys.index(f"{INDEX}{it}") for it in (READY, CANCELED)))

    await rebuild(views, STORE, {})

    await assert_whole(views)


async def test_a_rebuild_lists_views_from_before_there_was_a_list(views: RedisViews):
    await views._redis.set(views.keys.record("view", "a"), b'1 1\n{"id":"a"}')
    await views._redis.set(views.keys.built_under, views._run_id.value)
    assert not await views.are_built()
    assert await views.get("a") is None
    assert await views.outdated({"a": 1}) == ["a"]
    assert await views.page(ListFilter(), 20) is None

    await rebuild(views, STORE, {})

    await assert_whole(views)


async def test_a_restarted_redis_shows_no_list_until_it_is_built_again():
    redis = Redis()
    views = redis.views()
    await rebuild(views, STORE, {})
    redis.restart(empty=False)
    assert await views.page(ListFilter(), 20) is None

    await views.begin_rebuild()
    assert await views.page(ListFilter(), 20) is None

    await rebuild(views, STORE, {})
    await assert_whole(views)
    await views.close()


async def test_a_list_is_not_shown_with_an_item_that_an_older_process_wrote(
    views: RedisViews, monkeypatch: pytest.MonkeyPatch
):
    await show(views, *CHECKOUTS)
    monkeypatch.setattr(ListIndexProjection, "revision", LIST_INDEX.revision - 1)
    await show(views, replace(CHECKOUTS[0], version=2, status=CANCELED))
    monkeypatch.undo()

    assert await views.page(ListFilter(CANCELED), 20) is None
    assert [each["id"] for each in (await pages(views, ListFilter(READY), 20))[0]] == ["c"]

    await show(views, replace(CHECKOUTS[0], version=2, status=CANCELED))
    assert [each["id"] for each in (await pages(views, ListFilter(CANCELED), 20))[0]] == ["b", "a"]


async def test_a_list_is_not_shown_without_an_item_that_it_has(views: RedisViews):
    await show(views, *CHECKOUTS)
    await views._redis.delete(views.keys.record("list_entry", "a"))

    assert await views.page(ListFilter(), 20) is None
    assert await views.page(ListFilter(), 2) is not None


async def test_a_cursor_whose_record_was_lost_is_not_unknown(views: RedisViews):
    await show(views, *CHECKOUTS)
    await views._redis.delete(views.keys.record("list_entry", "b"))

    assert await views.page(ListFilter(READY), 20, "b") is None
    assert await views.lost() == ["b"]
    with pytest.raises(UnknownCursor):
        await views.page(ListFilter(READY), 20, "nobody")
    assert await views.lost() == ["b"]


async def test_what_is_rendered_is_read_back(views: RedisViews):
    await show(views, *CHECKOUTS)

    assert [await views.get(each.id) for each in CHECKOUTS] == [render_view(c) for c in CHECKOUTS]
