"""Views in Redis move forward only, and are believed only under the server they were built on."""

from collections.abc import AsyncIterator

import pytest

from projections.checkout_view import CheckoutViewProjection
from projections.redis.views import Advance, RedisViews
from projections.registry import CHECKOUT_VIEW
from tests.projections.given import Redis, view


@pytest.fixture
async def views() -> AsyncIterator[RedisViews]:
    opened = Redis().views()
    await opened.finish_rebuild(await opened.begin_rebuild(), {})
    yield opened
    await opened.close()


async def test_what_is_applied_is_read_as_the_very_same_bytes(views: RedisViews):
    await views.apply([view(3)])

    assert await views.get("a") == view(3)


async def test_an_older_or_repeated_view_changes_nothing(views: RedisViews):
    await views.apply([view(9)])

    assert await views.apply([view(8), view(9)])

    assert await views.get("a") == view(9)


async def test_versions_are_compared_as_numbers(views: RedisViews):
    await views.apply([view(9)])
    await views.apply([view(10)])

    assert await views.get("a") == view(10)


async def test_a_new_shape_of_the_same_version_replaces_the_old_one_and_not_the_other_way_round(
    views: RedisViews, monkeypatch: pytest.MonkeyPatch
):
    await views.apply([view(3)])
    revision = CHECKOUT_VIEW.revision
    monkeypatch.setattr(CheckoutViewProjection, "revision", revision + 1)

    assert await views.outdated({"a": 3}) == ["a"]
    assert not await views.are_built()
    await views.apply([view(3)])
    assert await views.get("a") is None
    await views.finish_rebuild(await views.begin_rebuild(), {})
    assert await views.get("a") == view(3)

    monkeypatch.setattr(CheckoutViewProjection, "revision", revision)
    await views.apply([view(3, body=b"old shape")])
    assert await views.are_built()
    assert await views.get("a") == view(3)


async def test_views_and_positions_move_together_or_not_at_all(views: RedisViews):
    assert await views.apply([view(1)], [Advance("t/0", None, 5), Advance("t/1", None, 7)])
    assert await views.positions() == {"t/0": 5, "t/1": 7}

    assert not await views.apply([view(2)], [Advance("t/0", 5, 6), Advance("t/1", 8, 9)])
    assert await views.get("a") == view(1)
    assert await views.positions() == {"t/0": 5, "t/1": 7}

    assert not await views.apply([view(2)], [Advance("t/0", None, 6)])
    assert await views.apply([view(2)], [Advance("t/0", 5, 6)])
    assert await views.positions() == {"t/0": 6, "t/1": 7}


async def test_outdated_are_the_missing_and_the_older_ones(views: RedisViews):
    await views.apply([view(3, "a"), view(3, "b"), view(3, "c")])

    assert await views.outdated({"a": 2, "b": 3, "c": 4, "d": 1}) == ["c", "d"]
    assert await views.outdated({}) == []


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "from an old snapshot"])
async def test_a_restarted_redis_is_not_believed(*, empty: bool):
    redis = Redis()
    views = redis.views()
    await views.finish_rebuild(await views.begin_rebuild(), {"t/0": 4})
    await views.apply([view(3)])
    await views.close()

    redis.restart(empty=empty)
    views = redis.views()

    assert not await views.are_built()
    assert await views.get("a") is None
    await views.close()


async def test_a_rebuild_that_another_server_would_finish_does_not_count():
    redis = Redis()
    views = redis.views()
    run_id = await views.begin_rebuild()
    redis.restart(empty=False)

    assert not await views.finish_rebuild(run_id, {"t/0": 4})
    assert not await views.are_built()
    await views.close()


async def test_a_lock_has_one_holder(views: RedisViews):
    assert await views.try_lock("rebuild", "me", 60)
    assert not await views.try_lock("rebuild", "you", 60)
    await views.unlock("rebuild", "you")
    assert not await views.try_lock("rebuild", "you", 60)
    await views.unlock("rebuild", "me")
    assert await views.try_lock("rebuild", "me", 60)
