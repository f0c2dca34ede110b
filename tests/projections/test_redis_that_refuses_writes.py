"""A demoted or full Redis shows no older view than one that was acknowledged, and readiness names it."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ReadOnlyError

from projections.list_page import ListFilter
from projections.redis.views import RedisViews
from services.bootstrap.readiness_checks import views_check
from tests.projections.given import view, views_at
from tests.projections.listed import listed, show
from tests.servers import programs
from tests.servers.redis import OwnRedis, own_redis


async def built(server: OwnRedis) -> RedisViews:
    """Complete views on this server, over one open connection."""
    views = views_at(server.url)
    await views.are_built()
    await views.finish_rebuild(await views.begin_rebuild(), {})
    return views


async def demote(operator: Redis) -> None:
    """Make the server a replica of one that does not answer, so that its data stays as it is."""
    await operator.execute_command("REPLICAOF", programs.HOST, programs.free_port())


async def test_a_demoted_redis_answers_no_reader_and_no_writer_on_its_open_connections():
    with own_redis() as server:
        views = await built(server)
        await show(views, listed("a"))
        assert await views.get("a")
        connection = await views._redis.client_id()
        async with Redis.from_url(server.url) as operator:
            await demote(operator)

            for _ in range(2):
                with pytest.raises(ReadOnlyError):
                    await views.get("a")
                with pytest.raises(ReadOnlyError):
                    await views.page(ListFilter(), 20)
                with pytest.raises(ReadOnlyError):
                    await show(views, listed("a", version=2))
            found = await views_check(views)()
            assert found
            assert "Redis refuses writes (" in found
            assert "replica" in found

            await operator.execute_command("REPLICAOF", "NO", "ONE")

        assert await views.get("a")
        assert await views._redis.client_id() > connection
        assert await views_check(views)() is None
        await views.close()


async def test_a_replica_is_noticed_at_the_first_connection():
    with own_redis() as server:
        async with Redis.from_url(server.url) as operator:
            await demote(operator)
        views = views_at(server.url)

        with pytest.raises(ReadOnlyError, match="is a replica"):
            await views.are_built()
        found = await views_check(views)()
        assert found
        assert "the server is a replica" in found
        await views.close()


async def test_a_full_redis_shows_no_older_version_than_the_one_it_could_not_take():
    with own_redis() as server:
        views = await built(server)
        await views.apply([view(1)])
        async with Redis.from_url(server.url) as operator:
            await operator.config_set("maxmemory", "1")

            with pytest.raises(OutOfMemoryError):
                await views.apply([view(2)])
            assert await views.get("a") is None
            assert await views.page(ListFilter(), 20) is None
            found = await views_check(views)()
            assert found
            assert found.startswith("Redis refuses writes (")
            assert "raise maxmemory" in found

            await operator.config_set("maxmemory", "0")

        assert await views_check(views)() == "the views are being rebuilt"
        await views.apply([view(2)])
        await views.finish_rebuild(await views.begin_rebuild(), {})
        assert await views.get("a") == view(2)
        assert await views_check(views)() is None
        await views.close()
