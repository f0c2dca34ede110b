"""A projection that is registered is written, rebuilt and found missing like the others."""

import pytest

from projections import registry
from projections.projection import Record, Source
from projections.rebuild import rebuild
from projections.redis import views as redis_views
from projections.redis.views import RedisViews
from tests.projections.listed import CANCELED, READY, listed, show
from tests.projections.test_rebuild import Store

INDEX = "numbered_index:"


class ManyIndexes:
    """A checkout in a hundred indexes: by number, and by status."""

    name = "numbered"
    revision = 1

    def project(self, source: Source) -> Record:
        checkout = source.checkout
        indexes = tuple(f"{INDEX}{number}:{checkout.status}" for number in range(100))
        return Record(b"{}", checkout.id, indexes)


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    more = (*registry.PROJECTIONS, ManyIndexes())
    for module in (registry, redis_views):
        monkeypatch.setattr(module, "PROJECTIONS", more)


async def members(views: RedisViews, status: str) -> list[bytes]:
    return await views._redis.zrange(views.keys.index(f"{INDEX}99:{status}"), 0, -1)


async def test_a_new_projection_means_that_records_are_missing_until_a_rebuild(
    views: RedisViews, monkeypatch: pytest.MonkeyPatch
):
    await show(views, listed("a"))
    assert await views.are_built()

    register(monkeypatch)

    assert not await views.are_built()
    assert await views.get("a") is None
    assert await views.outdated({"a": 1}) == ["a"]
    await rebuild(views, Store([[listed("a")]]), {})
    assert await views.are_built()
    assert await views.outdated({"a": 1}) == []
    assert await members(views, READY) == [b"a"]


async def test_a_build_without_it_trusts_what_a_build_with_it_has_built(
    views: RedisViews, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as later:
        register(later)
        await rebuild(views, Store([[listed("a")]]), {})

    assert await views.are_built()
    assert await views.get("a") is not None


async def test_a_record_in_very_many_indexes_moves_forward_only(
    views: RedisViews, monkeypatch: pytest.MonkeyPatch
):
    register(monkeypatch)
    newer = listed("a", status=CANCELED, version=3)
    await show(views, listed("a", status=READY, version=2))
    await show(views, newer)
    stored = await views._redis.get(views.keys.record("numbered", "a"))

    await show(views, listed("a", status=READY, version=2))

    assert await views._redis.get(views.keys.record("numbered", "a")) == stored
    assert await members(views, CANCELED) == [b"a"]
    assert await members(views, READY) == []
