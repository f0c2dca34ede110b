"""Records as they are in Redis, trusted or not, for the audit and its repairs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from redis.asyncio import Redis

from projections.projection import Projection
from projections.redis import scripts
from projections.redis.keys import Keys

_AT_ONCE = 500


class RawViews:
    """The records of one projection. Each method raises `RedisError` or `OSError` when Redis fails."""

    def __init__(self, redis: Redis, keys: Keys, projection: Projection) -> None:
        self._redis = redis
        self._keys = keys
        self.projection = projection
        self._unlisted = redis.register_script(scripts.UNLISTED)
        self._remove = redis.register_script(scripts.REMOVE)

    async def read(self, checkout_ids: Sequence[str]) -> list[bytes | None]:
        """The records of these checkouts, in their order."""
        if not checkout_ids:
            return []
        found = await self._redis.mget([self._key(it) for it in checkout_ids])
        return [it.encode() if isinstance(it, str) else it for it in found]

    async def unlisted(self, checkout_ids: Sequence[str]) -> set[str]:
        """Those of these checkouts whose record is missing from an index that it names."""
        if not checkout_ids:
            return set()
        places = await self._unlisted(
            keys=[self._key(it) for it in checkout_ids], args=[self._keys.base]
        )
        return {checkout_ids[place - 1] for place in places}

    async def checkout_ids(self) -> AsyncGenerator[str, None]:
        """The checkouts that have a record. One that comes or goes meanwhile may be left out, and any may
        be found twice.
        """
        beginning = self._keys.record(self.projection.name)
        keys = self._redis.scan_iter(match=f"{beginning}*", count=_AT_ONCE)
        async for key in keys:
            text = key.decode("utf-8", "backslashreplace") if isinstance(key, bytes) else key
            yield text.removeprefix(beginning)

    async def remove(self, checkout_id: str, seen: bytes) -> bool:
        """Remove a record and its index entries, unless it has changed since it was seen."""
        key, base = self._key(checkout_id), self._keys.base
        return bool(await self._remove(keys=[key], args=[seen, base]))

    def _key(self, checkout_id: str) -> str:
        return self._keys.record(self.projection.name, checkout_id)
