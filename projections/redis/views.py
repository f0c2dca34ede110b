"""The views in Redis: each moves to newer versions only, with its place on the list and the projector's
position.

Redis holds nothing that can't be built again. It is trusted only while it is the very server process
under which the views were built: `built_under` names its `run_id`, and a server that was restarted,
empty or from an old snapshot, has another one. It names the views' revision too: an older one has
not all that we read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from projections.checkout_view import REVISION, RenderedView
from projections.list_index import ListIndexEntry
from projections.list_page import ListFilter, ListPage, UnknownCursor, list_item
from projections.redis import scripts
from projections.redis.raw_views import RawViews
from projections.redis.server_identity import RunId

_BUILT_UNDER = "checkout:views:built_under"
_POSITIONS = "checkout:views:positions"
_LOCK = "checkout:lock:"

_MAX_CHUNK_VIEWS = 50
_MAX_CHUNK_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Advance:
    """The projector's move on one partition: from the position it expects Redis to hold (None: none
    yet) to a new one. Positions are the offset of the next record.
    """

    partition: str
    expected: int | None
    new: int


class RedisViews:
    """Reads and writes views. Each method raises `RedisError` or `OSError` when Redis fails."""

    def __init__(self, redis: Redis, run_id: RunId) -> None:
        self._redis = redis
        self._run_id = run_id
        self._apply = redis.register_script(scripts.APPLY)
        self._page = redis.register_script(scripts.PAGE)
        self._lock = redis.register_script(scripts.TAKE_LOCK)
        self._unlock = redis.register_script(scripts.FREE_LOCK)

    async def get(self, checkout_id: str) -> RenderedView | None:
        """The view of a checkout; None if it is not here or can't be trusted: ask the store then."""
        found = await self._redis.mget(scripts.VIEW + checkout_id, _BUILT_UNDER)
        stored, built_under = map(_bytes, found)
        return _view(checkout_id, stored) if self._are_whole(built_under) else None

    async def page(
        self, wanted: ListFilter, limit: int, cursor: str | None = None
    ) -> ListPage | None:
        """The newest checkouts of a filter, or those that come after the checkout `cursor`.

        None if the views can't be trusted now. Raises `UnknownCursor`.
        """
        reply = await self._page(
            keys=[_BUILT_UNDER, *wanted.indexes()], args=[limit, *wanted.bounds(), cursor or ""]
        )
        if not self._are_whole(_bytes(reply[0])):
            return None
        if len(reply) == 1:
            raise UnknownCursor(cursor)
        _, total_count, has_more, *found = reply
        views = [
            _view(checkout_id.decode(), stored)
            for checkout_id, stored in zip(found[::2], found[1::2], strict=True)
        ]
        items = [list_item(view) for view in views if view]
        # A view that a process of an older revision has written since is the projector's to mend.
        return ListPage(items, bool(has_more), total_count) if len(items) == len(views) else None

    async def apply(self, views: Sequence[RenderedView], advances: Sequence[Advance] = ()) -> bool:
        """Store the views that are newer than what is there, with their place on the list, and the
        positions with them.

        False, and nothing is done, if Redis holds other positions than expected.
        """
        args: list[bytes | str | int] = [len(advances)]
        for move in advances:
            args += [move.partition, "" if move.expected is None else move.expected, move.new]
        for view in views:
            args += [view.checkout_id, view.version, REVISION, str(view.entry), view.body]
        return bool(await self._apply(keys=[_POSITIONS], args=args))

    async def outdated(self, versions: Mapping[str, int]) -> list[str]:
        """Those checkouts whose view is missing, older than this version or of an older shape."""
        pipeline = self._redis.pipeline(transaction=False)
        for checkout_id in versions:
            pipeline.getrange(scripts.VIEW + checkout_id, 0, 40)
        heads = await pipeline.execute()
        return [
            checkout_id
            for (checkout_id, version), head in zip(versions.items(), heads, strict=True)
            if _head(head) < (version, REVISION)
        ]

    async def are_built(self) -> bool:
        """Whether all views and indexes are here, of this server process."""
        return self._are_whole(_bytes(await self._redis.get(_BUILT_UNDER)))

    async def begin_rebuild(self) -> str:
        """Declare the views and positions incomplete; returns the run_id to finish with."""
        await self._redis.delete(_BUILT_UNDER, _POSITIONS)
        return self._run_id.value

    async def finish_rebuild(self, run_id: str, positions: Mapping[str, int]) -> bool:
        """Declare the views complete, and whence the projector goes on. False if the server is
        another one by now.
        """
        if run_id != self._run_id.value:
            return False
        pipeline = self._redis.pipeline(transaction=True)
        if positions:
            pipeline.hset(_POSITIONS, items=[x for pair in positions.items() for x in pair])
        pipeline.set(_BUILT_UNDER, f"{run_id} {REVISION}")
        await pipeline.execute()
        return run_id == self._run_id.value

    async def positions(self) -> dict[str, int]:
        """How far each partition has been projected: the offset of the next record."""
        held = await self._redis.hgetall(_POSITIONS)
        return {(_bytes(name) or b"").decode(): int(offset) for name, offset in held.items()}

    async def try_lock(self, name: str, owner: str, seconds: int) -> bool:
        """Hold a name for so many seconds more, if it is free or held by this owner already."""
        return bool(await self._lock(keys=[_LOCK + name], args=[owner, seconds]))

    async def unlock(self, name: str, owner: str) -> None:
        """Let go of a name, if this owner still holds it."""
        await self._unlock(keys=[_LOCK + name], args=[owner])

    def raw_views(self) -> RawViews:
        """The same views as they lie there, for who compares and mends them."""
        return RawViews(self._redis)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _are_whole(self, built_under: bytes | None) -> bool:
        """Whether they were built under the server that answers, in our revision or a later one."""
        run_id, _, revision = (built_under or b"").decode().rpartition(" ")
        return run_id == self._run_id.value and revision.isdigit() and int(revision) >= REVISION


def chunks(views: Sequence[RenderedView]) -> Iterator[Sequence[RenderedView]]:
    """Views in portions that a slow network, too, takes within its bound: one at least in each."""
    chunk: list[RenderedView] = []
    size = 0
    for view in views:
        if chunk and (len(chunk) == _MAX_CHUNK_VIEWS or size + len(view.body) > _MAX_CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(view)
        size += len(view.body)
    if chunk:
        yield chunk


def connect(url: str) -> RedisViews:
    """The views in the Redis at a URL: bounded waits, and no retries of the client's own."""
    run_id = RunId()
    redis = Redis.from_url(
        url,
        socket_timeout=2.0,
        socket_connect_timeout=1.0,
        retry=Retry(NoBackoff(), 0),
        redis_connect_func=run_id.learn,
    )
    return RedisViews(redis, run_id)


def _bytes(reply: bytes | str | None) -> bytes | None:
    """A reply as the bytes it is: the client's types allow for one that decodes."""
    return reply.encode() if isinstance(reply, str) else reply


def _view(checkout_id: str, stored: bytes | None) -> RenderedView | None:
    """A view as it is stored; None if it is missing or of an older revision."""
    line, _, body = (stored or b"").partition(b"\n")
    version, revision = _head(line)
    if revision < REVISION:
        return None
    entry = line.decode().split(" ", 2)[2]
    return RenderedView(checkout_id, version, body, ListIndexEntry.parse(entry))


def _head(line: bytes) -> tuple[int, int]:
    """The version and the revision that a view begins with; (0, 0) if there is no view."""
    version, revision, *_ = [*line.split(maxsplit=2), b"", b""]
    return (int(version), int(revision)) if revision else (0, 0)
