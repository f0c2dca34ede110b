"""The views on a Redis of the tests' own, and on the one that `checkout dev` has."""

from collections.abc import AsyncIterator, Iterator

import pytest
from fakeredis import FakeAsyncRedis

from projections.redis.views import RedisViews
from tests.projections.given import views_at, views_in
from tests.servers.redis import own_redis


@pytest.fixture(scope="session")
def redis_of_ours() -> Iterator[str]:
    with own_redis() as server:
        yield server.url


@pytest.fixture(params=["Redis", "fakeredis"])
async def views(request: pytest.FixtureRequest) -> AsyncIterator[RedisViews]:
    """Views that are whole and empty."""
    if request.param == "Redis":
        opened = views_at(request.getfixturevalue("redis_of_ours"))
    else:
        opened = views_in(FakeAsyncRedis())
    await emptied(opened)
    yield opened
    await opened.close()


async def emptied(views: RedisViews) -> None:
    await views._redis.flushdb()
    await views.finish_rebuild(await views.begin_rebuild(), {})
