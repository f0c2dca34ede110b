"""A Redis that may evict views is named at the start, and until it no longer may, by readiness."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from projections.rebuild import rebuild
from projections.redis.trust import TrustState
from services.bootstrap.connections import opened_views
from services.bootstrap.readiness_checks import views_check
from services.event_store import open_store
from services.runtime.settings import Settings
from tests.servers.redis import own_redis


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "noeviction"])
async def test_a_redis_that_may_evict_is_named_with_the_way_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, policy: str
):
    store = open_store(f"sqlite:///{tmp_path / 'events.db'}")
    with own_redis(["--maxmemory", "50mb", "--maxmemory-policy", policy]) as server:
        settings = Settings(redis_url=SecretStr(server.url))
        async with opened_views(settings, store) as views:
            await rebuild(views, store, {})
            await views.trust.move(await views.trust.latest(), TrustState.TRUSTED, views.run_id)
            logged = [record.getMessage() for record in caplog.records]
            if policy == "noeviction":
                assert logged == []
            else:
                [line] = logged
                assert line.startswith("CHECKOUT_REDIS_URL: Redis may evict views")
                found = await views_check(views)()
                assert found
                assert f"(maxmemory-policy {policy}): set maxmemory-policy to noeviction" in found
                async with Redis.from_url(server.url) as operator:
                    await operator.config_set("maxmemory-policy", "noeviction")
            assert await views_check(views)() is None
    store.close()


async def test_a_redis_that_is_down_keeps_no_service_from_starting(tmp_path: Path):
    store = open_store(f"sqlite:///{tmp_path / 'events.db'}")
    with own_redis() as server:
        settings = Settings(redis_url=SecretStr(server.url))
    async with opened_views(settings, store) as views:
        with pytest.raises(RedisConnectionError):
            await views_check(views)()
    store.close()
