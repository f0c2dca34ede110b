"""The views as they lie in Redis, trusted or not: for who holds them against the store and mends them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from redis.asyncio import Redis

from projections.checkout_view import REVISION, RenderedView
from projections.redis import scripts

_AT_ONCE = 500

_REMOVE = (
    scripts.NAMES
    + scripts.INDEXES
    + """
-- KEYS: none. ARGV: the checkout's id, and what was seen there. Removes it unless it has changed since.
local key = VIEW .. ARGV[1]
if redis.call('GET', key) ~= ARGV[2] then return 0 end
local old = string.match(ARGV[2], '^%d+ %d+ ?([^\\n]*)\\n')
local member, keys = indexes(ARGV[1], old or '')
for _, index in ipairs(keys) do redis.call('ZREM', index, member) end
redis.call('DEL', key)
return 1
"""
)


class RawViews:
    """Each method raises `RedisError` or `OSError` when Redis fails."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._remove = redis.register_script(_REMOVE)

    async def read(self, checkout_ids: Sequence[str]) -> list[bytes | None]:
        """What is there of these checkouts, in their order."""
        if not checkout_ids:
            return []
        found = await self._redis.mget([scripts.VIEW + it for it in checkout_ids])
        return [it.encode() if isinstance(it, str) else it for it in found]

    async def checkout_ids(self) -> AsyncGenerator[str, None]:
        """The checkouts of which there is a view; one that comes or goes meanwhile may be left out, and
        any may be told twice.
        """
        keys = self._redis.scan_iter(match=f"{scripts.VIEW}*", count=_AT_ONCE)
        async for key in keys:
            text = key.decode("utf-8", "backslashreplace") if isinstance(key, bytes) else key
            yield text.removeprefix(scripts.VIEW)

    async def remove(self, checkout_id: str, seen: bytes) -> bool:
        """Remove a view and its place on the list, unless it is not any more what was seen there."""
        return bool(await self._remove(args=[checkout_id, seen]))


def stored_form(view: RenderedView) -> bytes:
    """A view as it lies in Redis."""
    return f"{view.version} {REVISION} {view.entry}\n".encode() + view.body


def version_of(stored: bytes) -> int:
    """The version that a stored view says it shows; 0 for what is none."""
    return _head(stored)[0]


def is_of_a_later_revision(stored: bytes) -> bool:
    """Whether a later build has written it, in a shape that this one doesn't know."""
    return _head(stored)[1] > REVISION


def _head(stored: bytes) -> tuple[int, int]:
    version, revision, *_ = [*stored.partition(b"\n")[0].split(maxsplit=2), b"", b""]
    whole = version.isdigit() and revision.isdigit()
    return (int(version), int(revision)) if whole else (0, 0)
