"""The records of all projections in Redis. Each is only ever replaced by a newer one, in one step with its
index entries and the projector's position.

Redis holds nothing that can't be rebuilt. It is read only while the store names it as the server to trust
(`projections.redis.trust`), and it is the server process under which the records were built: `built_under`
names its `run_id`, and a server that was restarted, empty or from an old snapshot, has another one. It also
names each projection's revision: a new projection, or one of an older revision, means that records are
missing. All keys name the store and its epoch (`projections.redis.keys`): what was made from another store,
or before this one lost history, is not read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from redis.asyncio import Redis
from redis.asyncio.lock import Lock
from redis.exceptions import LockNotOwnedError, ResponseError

from domain.lineage import Lineage
from projections.list_page import ListFilter, ListPage
from projections.redis import scripts
from projections.redis.client import redis_at
from projections.redis.index_counts import IndexCounts
from projections.redis.keys import Keys, Source, record_name
from projections.redis.list_pages import ListPages
from projections.redis.raw_views import RawViews
from projections.redis.records import head_of, stored_form, value_of
from projections.redis.server_identity import RunId
from projections.redis.trust import Trust, TrustSource, TrustState
from projections.registry import CHECKOUT_VIEW, PROJECTIONS, RenderedView

_SCANNED_AT_ONCE = 1_000
_MAX_CHUNK_VIEWS = 50
_MAX_CHUNK_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Advance:
    """The projector's move on one partition: from the position that it expects in Redis (None: none
    yet) to a new one. A position is the offset of the next record.
    """

    partition: str
    expected: int | None
    new: int


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """A rebuild in progress: the server process that it is on, the history that it is made from, and its
    name.
    """

    run_id: str
    lineage: Lineage
    name: str


class RedisViews:
    """Reads and writes the records of all projections. Each method raises `RedisError` or `OSError`
    when Redis fails.
    """

    def __init__(
        self, redis: Redis, run_id: RunId, topic_prefix: str, source: Source, trust: TrustSource
    ) -> None:
        self._redis = redis
        self._run_id = run_id
        self._topic_prefix = topic_prefix
        self._source = source
        self.trust = trust
        self._read = redis.register_script(scripts.READ)
        self._apply = redis.register_script(scripts.APPLY)
        self._outdated = redis.register_script(scripts.OUTDATED)
        self._finish = redis.register_script(scripts.FINISH)
        self._counts = IndexCounts(redis)
        self._pages = ListPages(redis)

    @property
    def keys(self) -> Keys:
        """The keys of the last known epoch of the store."""
        return Keys(self._topic_prefix, self._source.value)

    async def _latest_keys(self) -> Keys:
        return Keys(self._topic_prefix, await self._source.latest())

    async def get(self, checkout_id: str) -> RenderedView | None:
        """The view of a checkout; None if it is missing or can't be trusted: then read the store."""
        keys = await self._latest_keys()
        key = keys.record(CHECKOUT_VIEW.name, checkout_id)
        built_under, stored = map(_bytes, await self._read(keys=[keys.built_under, key]))
        body = value_of(stored, CHECKOUT_VIEW)
        if body is None or not self._are_readable(await self.trust.latest(), built_under):
            return None
        version, epoch = head_of(stored)[0], keys.lineage.epoch
        return RenderedView(checkout_id, version, body, epoch=epoch)

    async def page(
        self, wanted: ListFilter, limit: int, cursor: str | None = None
    ) -> ListPage | None:
        """The newest checkouts of a filter, or those that come after the checkout `cursor`.

        None if the views can't be trusted now. Raises `UnknownCursor`.
        """
        trust = await self.trust.latest()
        return await self._pages.read(
            await self._latest_keys(),
            wanted,
            limit,
            cursor,
            partial(self._are_readable, trust),
        )

    async def apply(self, views: Sequence[RenderedView], advances: Sequence[Advance] = ()) -> bool:
        """Store the records that are newer than those in Redis, their index entries, and the positions.

        A view is only compared with those of its epoch, and read only while that is the latest. False, and
        nothing is done, if Redis holds other positions than expected.
        """
        keys = await self._latest_keys()
        args: list[bytes | str | int] = [len(advances)]
        for move in advances:
            args += [move.partition, "" if move.expected is None else move.expected, move.new]
        for view in views:
            base = keys.of_epoch(view.epoch).base
            for projection, record in zip(PROJECTIONS, view.records, strict=True):
                name = record_name(projection.name, view.checkout_id)
                stored = stored_form(view.version, projection, record, is_partial=view.is_partial)
                args += [base, name, stored]
        return bool(await self._apply(keys=[keys.positions, keys.built_under], args=args))

    async def outdated(self, versions: Mapping[str, int]) -> list[str]:
        """Those checkouts of which a record is missing, older than this version or of an older revision."""
        keys = await self._latest_keys()
        projections = [x for it in PROJECTIONS for x in (keys.record(it.name), it.revision)]
        wanted = [x for pair in versions.items() for x in pair]
        found = await self._outdated(args=[len(PROJECTIONS), *projections, *wanted])
        return [(_bytes(checkout_id) or b"").decode() for checkout_id in found]

    async def lost(self) -> list[str]:
        """Checkouts of which a page of the list lacked a record, as an operator or an eviction leaves it."""
        found = await self._redis.smembers((await self._latest_keys()).lost)
        return [(_bytes(checkout_id) or b"").decode() for checkout_id in found]

    async def mended(self, lost: Sequence[str]) -> None:
        """Declare that the records of these were written again."""
        await self._redis.srem((await self._latest_keys()).lost, *lost)

    async def are_built(self) -> bool:
        """Whether all records and indexes are here, built under this server process, trusted or not."""
        keys = await self._latest_keys()
        built_under, _ = await self._read(keys=[keys.built_under, keys.built_under])
        return self._are_whole(_bytes(built_under))

    async def apply_on(self, trust: Trust, views: Sequence[RenderedView]) -> bool:
        """Store the records that are newer than those in Redis. Whether the server that views are written to
        has them: not if another one may have answered meanwhile.
        """
        before = self.run_id
        await self.apply(views)
        return self.is_server_of(trust) and before in ("", self.run_id)

    async def know_source(self) -> None:
        """Look at the store before calls of Redis are timed: a slow store is not a slow Redis."""
        await self._source.latest()
        await self.trust.latest()

    async def is_trusted(self) -> bool:
        """Whether readers read this server."""
        return self._is_trusted(await self.trust.latest())

    def is_server_of(self, trust: Trust) -> bool:
        """Whether this is the server that views are written to. Known after a first call of it."""
        return trust.is_for(self._run_id.value)

    @property
    def run_id(self) -> str:
        """The server's `run_id`, as the newest connection has it; empty before the first one."""
        return self._run_id.value

    async def projected(self) -> int | None:
        """The store's position up to which all events are in the records; None if it is not known."""
        found = await self._redis.get((await self._latest_keys()).projected)
        return None if found is None else int(found)

    async def set_projected(self, position: int) -> None:
        """Declare that all events up to this position of the store are in the records."""
        await self._redis.set((await self._latest_keys()).projected, position)

    async def eviction_policy(self) -> str | None:
        """How Redis chooses keys to evict when its memory is full, if it may evict any."""
        try:
            found = (await self._redis.info("memory")).get("maxmemory_policy")
        except (
            ResponseError
        ):  # A server that has no such command, as in `checkout dev`, evicts nothing.
            return None
        return None if found == "noeviction" else found

    async def write_refusal(self) -> str | None:
        """Why Redis refuses writes: it is full, or a replica. None if it takes them."""
        try:
            await self._redis.set(self.keys.probe, b"", px=1)
        except ResponseError as error:
            return str(error)
        return None

    async def begin_rebuild(self) -> Rebuilding:
        """Declare records and positions incomplete, empty the indexes, and remove the records of earlier
        epochs, which nobody reads any more. Returns what to finish with.
        """
        keys = await self._latest_keys()
        await self._redis.delete(keys.built_under, keys.positions, keys.projected)
        name = await self._counts.begin(keys)
        if keys.lineage.epoch:
            await self._remove_earlier_epochs(keys)
        return Rebuilding(self._run_id.value, keys.lineage, name)

    async def _remove_earlier_epochs(self, keys: Keys) -> None:
        cursor = -1
        while cursor:
            cursor, found = await self._redis.scan(
                max(cursor, 0), match=keys.of_all_epochs, count=_SCANNED_AT_ONCE
            )
            older = [key for key in found if keys.is_older((_bytes(key) or b"").decode())]
            if older:
                await self._redis.unlink(*older)

    async def finish_rebuild(self, begun: Rebuilding, positions: Mapping[str, int]) -> bool:
        """Declare the records complete, and set where the projector continues. False if the server
        is another one by now, the store has begun a new epoch, or another rebuild has begun.
        """
        keys = await self._latest_keys()
        if begun != Rebuilding(self._run_id.value, keys.lineage, begun.name):
            return False
        continued = [x for pair in positions.items() for x in pair]
        is_finished = await self._finish(
            keys=[keys.index_counts, keys.positions, keys.built_under],
            args=[begun.name, f"{begun.run_id}\n{_revisions()}", *continued],
        )
        return bool(is_finished) and begun.run_id == self._run_id.value

    async def miscounted(self) -> list[str]:
        """What is wrong with the indexes: those that have lost entries, or have entries that no record put
        there.
        """
        return await self._counts.wrong(await self._latest_keys())

    async def positions(self) -> dict[str, int]:
        """The projected position of each partition: the offset of the next record."""
        held = await self._redis.hgetall((await self._latest_keys()).positions)
        return {(_bytes(name) or b"").decode(): int(offset) for name, offset in held.items()}

    async def try_lock(self, name: str, owner: str, seconds: int) -> bool:
        """Hold a lock for so many seconds more, if it is free or this owner holds it already."""
        lock = self._lock(name, owner, seconds)
        try:
            return await lock.acquire(token=owner) or await lock.reacquire()
        except LockNotOwnedError:
            return False

    async def unlock(self, name: str, owner: str) -> None:
        """Release a lock, if this owner still holds it."""
        with contextlib.suppress(LockNotOwnedError):
            await self._lock(name, owner).release()

    def _lock(self, name: str, owner: str, seconds: int = 1) -> Lock:
        """The lock as its owner holds it: an owner is known by its name, and may be another object."""
        lock = Lock(
            self._redis, self.keys.lock(name), timeout=seconds, blocking=False, thread_local=False
        )
        lock.local.token = owner.encode()
        return lock

    def raw_views(self) -> list[RawViews]:
        """The records of each projection as they are, for those who compare and repair them."""
        return [RawViews(self._redis, self.keys, projection) for projection in PROJECTIONS]

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _are_readable(self, trust: Trust, built_under: bytes | None) -> bool:
        return self._is_trusted(trust) and self._are_whole(built_under)

    def _is_trusted(self, trust: Trust) -> bool:
        return trust.state is TrustState.TRUSTED and self.is_server_of(trust)

    def _are_whole(self, built_under: bytes | None) -> bool:
        """Whether they were built under the server that answers, in our revisions or later ones."""
        run_id, _, revisions = (built_under or b"").decode().partition("\n")
        built = dict(part.split("=") for part in revisions.split())
        return run_id == self._run_id.value and all(
            int(built.get(it.name, 0)) >= it.revision for it in PROJECTIONS
        )


def chunks(views: Sequence[RenderedView]) -> Iterator[Sequence[RenderedView]]:
    """Views in portions that a slow network can take within the time limit, at least one in each."""
    chunk: list[RenderedView] = []
    size = 0
    for view in views:
        added = sum(len(record.value) for record in view.records)
        if chunk and (len(chunk) == _MAX_CHUNK_VIEWS or size + added > _MAX_CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(view)
        size += added
    if chunk:
        yield chunk


def connect(url: str, topic_prefix: str, source: Source, trust: TrustSource) -> RedisViews:
    """The records in the Redis at a URL (see `redis_at`)."""
    run_id = RunId()
    return RedisViews(redis_at(url, run_id), run_id, topic_prefix, source, trust)


def _bytes(reply: bytes | str | None) -> bytes | None:
    """A reply as bytes; the client's types allow for one that decodes."""
    return reply.encode() if isinstance(reply, str) else reply


def _revisions() -> str:
    """The revisions of all projections, as `built_under` names them."""
    return " ".join(f"{it.name}={it.revision}" for it in PROJECTIONS)
