"""Records as they are in Redis, trusted or not, for the audit and its repairs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from redis.asyncio import Redis

from projections.projection import Projection, Record
from projections.redis import scripts
from projections.redis.scripts import record_key

_AT_ONCE = 500


class RawViews:
    """The records of one projection. Each method raises `RedisError` or `OSError` when Redis fails."""

    def __init__(self, redis: Redis, projection: Projection) -> None:
        self._redis = redis
        self.projection = projection
        self._remove = redis.register_script(scripts.REMOVE)

    async def read(self, checkout_ids: Sequence[str]) -> list[bytes | None]:
        """The records of these checkouts, in their order."""
        if not checkout_ids:
            return []
        found = await self._redis.mget([self._key(it) for it in checkout_ids])
        return [it.encode() if isinstance(it, str) else it for it in found]

    async def checkout_ids(self) -> AsyncGenerator[str, None]:
        """The checkouts that have a record. One that comes or goes meanwhile may be left out, and any may
        be found twice.
        """
        beginning = record_key(self.projection.name)
        keys = self._redis.scan_iter(match=f"{beginning}*", count=_AT_ONCE)
        async for key in keys:
            text = key.decode("utf-8", "backslashreplace") if isinstance(key, bytes) else key
            yield text.removeprefix(beginning)

    async def remove(self, checkout_id: str, seen: bytes) -> bool:
        """Remove a record and its index entries, unless it has changed since it was seen."""
        return bool(await self._remove(keys=[self._key(checkout_id)], args=[seen]))

    def _key(self, checkout_id: str) -> str:
        return record_key(self.projection.name, checkout_id)


def stored_form(version: int, projection: Projection, record: Record) -> bytes:
    """A record as it is stored."""
    entry = f" {record.entry}" if record.entry else ""
    return f"{version} {projection.revision}{entry}\n".encode() + record.value


def version_of(stored: bytes) -> int:
    """The version that a stored record says it shows; 0 if it is not a record."""
    return _head(stored)[0]


def is_of_a_later_revision(stored: bytes, projection: Projection) -> bool:
    """Whether a later build has written it, in a shape that this one does not know."""
    return _head(stored)[1] > projection.revision


def _head(stored: bytes) -> tuple[int, int]:
    version, revision, *_ = [*stored.partition(b"\n")[0].split(maxsplit=2), b"", b""]
    whole = version.isdigit() and revision.isdigit()
    return (int(version), int(revision)) if whole else (0, 0)
