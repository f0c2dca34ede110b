"""What the chaos run does to Redis: to one server, or to a primary and its replica with Sentinels."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Sequence

from redis import Redis
from redis.exceptions import RedisError

from tests.eventually import eventually
from tests.servers.redis import OwnRedis
from tests.servers.redis_sentinel import RedisWithSentinels

Act = Callable[[], Awaitable[None]]


def redis_acts(redis: OwnRedis | RedisWithSentinels, chance: random.Random) -> Sequence[Act]:
    """The faults that can be drawn for these servers."""
    if isinstance(redis, OwnRedis):
        return OneServer(redis, chance).acts
    return WithSentinels(redis, chance).acts


class OneServer:
    """Empties, takes back, freezes and demotes the only server."""

    def __init__(self, redis: OwnRedis, chance: random.Random) -> None:
        self._redis, self._chance = redis, chance
        self.acts = (self._redis_empty, self._redis_old, self._freeze_redis, self._demote_redis)

    async def _redis_empty(self) -> None:
        self._redis.forget_snapshot()
        await self._restart()

    async def _redis_old(self) -> None:
        await asyncio.to_thread(self._redis.snapshot)
        await self._pause(2)
        await self._restart()

    async def _restart(self) -> None:
        await asyncio.to_thread(self._redis.stop)
        await self._pause(2)
        await asyncio.to_thread(self._redis.start)

    async def _freeze_redis(self) -> None:
        assert self._redis.process
        self._redis.process.send_signal(signal.SIGSTOP)
        await self._pause(6)
        self._redis.process.send_signal(signal.SIGCONT)

    async def _demote_redis(self) -> None:
        await asyncio.to_thread(self._redis.demote)
        await self._pause(4)
        await asyncio.to_thread(self._redis.promote)

    async def _pause(self, longest: float) -> None:
        await asyncio.sleep(self._chance.uniform(0, longest))


class WithSentinels:
    """Kills or freezes the primary, and lets it come back as the replica of the new one."""

    def __init__(self, redis: RedisWithSentinels, chance: random.Random) -> None:
        self._redis, self._chance = redis, chance
        self.acts = 2 * (self._fail_over_redis, self._freeze_redis_primary)

    async def _fail_over_redis(self) -> None:
        killed = self._redis.primary
        await asyncio.to_thread(killed.stop)
        await asyncio.to_thread(self._redis.fail_over_from, killed)
        await asyncio.to_thread(killed.start)
        await asyncio.to_thread(wait_until_replica, killed)

    async def _freeze_redis_primary(self) -> None:
        frozen = self._redis.primary
        assert frozen.process
        frozen.process.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(self._redis.fail_over_from, frozen)
        await asyncio.sleep(self._chance.uniform(0, 3))
        frozen.process.send_signal(signal.SIGCONT)
        await asyncio.to_thread(wait_until_replica, frozen)


def wait_until_replica(server: OwnRedis) -> None:
    """Wait until the Sentinels have made a server a replica and it has the primary's data."""

    def is_replica() -> bool:
        try:
            with Redis.from_url(server.url) as client:
                found = client.info("replication")
        except RedisError:
            return False
        return found["role"] == "slave" and found["master_link_status"] == "up"

    eventually(is_replica, within=90)
