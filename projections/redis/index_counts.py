"""Counts the entries of each index in a hash beside them, so that an index that was lost is noticed.

Scripts that change an index change its count with it (`each_index` in `projections.redis.scripts`), so the
two always agree, except where an index was removed or evicted. The hash also names, in the field '', the
rebuild that filled it: without that name, the counts themselves were lost.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator

from redis.asyncio import Redis

from projections.redis import scripts
from projections.redis.keys import Keys

_AT_ONCE = 500


class IndexCounts:
    """The indexes and their counts. Each method raises `RedisError` or `OSError` when Redis fails."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._reset = redis.register_script(scripts.RESET)
        self._counted = redis.register_script(scripts.COUNTED)

    async def begin(self, keys: Keys) -> str:
        """Empty all indexes and their counts, for a rebuild to fill. Returns the name of the rebuild.

        Writers may go on: each index is emptied in one step with its count, and the rebuild finds what they
        wrote before in the store.
        """
        rebuild = uuid.uuid4().hex
        await self._redis.hset(keys.index_counts, "", rebuild)
        async for names in self._names(keys):
            indexes = map(keys.index, names)
            await self._reset(keys=[keys.index_counts, *indexes], args=[rebuild, *names])
        return rebuild

    async def wrong(self, keys: Keys) -> list[str]:
        """The indexes that do not have as many entries as were counted, as a person may read it."""
        if not await self._redis.hexists(keys.index_counts, ""):
            return ["the counts of index entries in Redis were lost"]
        wrong: dict[str, str] = {}
        async for names in self._names(keys):
            indexes = map(keys.index, names)
            counts = await self._counted(keys=[keys.index_counts, *indexes], args=names)
            for name, counted, there in zip(names, counts[::2], counts[1::2], strict=True):
                if counted != there:
                    wrong[name] = (
                        f"the index {name} in Redis has {there} entries instead of {counted}"
                    )
        return list(wrong.values())

    async def _names(self, keys: Keys) -> AsyncGenerator[list[str], None]:
        """The names of all indexes that are there, then of those that have a count."""
        base, cursor = keys.base, -1
        while cursor:
            cursor, found = await self._redis.scan(
                max(cursor, 0), match=f"{base}*", count=_AT_ONCE, _type="zset"
            )
            if names := [_text(key).removeprefix(base) for key in found]:
                yield names
        cursor = -1
        while cursor:
            cursor, counts = await self._redis.hscan(
                keys.index_counts, max(cursor, 0), count=_AT_ONCE
            )
            if names := [_text(name) for name in counts if name]:
                yield names


def _text(reply: bytes | str) -> str:
    return reply.decode() if isinstance(reply, bytes) else reply
