"""The views in Redis: each moves to newer versions only, together with the projector's position.

Redis holds nothing that can't be built again. It is trusted only while it is the very server process
under which the views were built: `built_under` names its `run_id`, and a server that was restarted,
empty or from an old snapshot, has another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from projections.view import REVISION, View

_VIEW = "checkout:view:"
_BUILT_UNDER = "checkout:views:built_under"
_POSITIONS = "checkout:views:positions"
_LOCK = "checkout:lock:"

_MAX_CHUNK_VIEWS = 50
_MAX_CHUNK_BYTES = 1_000_000

_TAKE_LOCK = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
_FREE_LOCK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""

_APPLY = """
-- KEYS: positions, then a key for each view. ARGV: the number of partitions, then for each of them
-- its name, the position we expect and the new one; then for each view its version, revision, body.
local partitions = tonumber(ARGV[1])
local at = 2
for _ = 1, partitions do
  local position = redis.call('HGET', KEYS[1], ARGV[at]) or ''
  if position ~= ARGV[at + 1] then return 0 end
  at = at + 3
end
for p = 1, partitions do
  redis.call('HSET', KEYS[1], ARGV[3 * p - 1], ARGV[3 * p + 1])
end
for k = 2, #KEYS do
  local version, revision = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local head = redis.call('GETRANGE', KEYS[k], 0, 40)
  local v, r = string.match(head, '^(%d+) (%d+)\\n')
  v, r = tonumber(v or 0), tonumber(r or 0)
  if version > v or (version == v and revision > r) then
    redis.call('SET', KEYS[k], ARGV[at] .. ' ' .. ARGV[at + 1] .. '\\n' .. ARGV[at + 2])
  end
  at = at + 3
end
return 1
"""


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
        self._apply = redis.register_script(_APPLY)
        self._lock = redis.register_script(_TAKE_LOCK)
        self._unlock = redis.register_script(_FREE_LOCK)

    async def get(self, checkout_id: str) -> View | None:
        """The view of a checkout; None if it is not here or can't be trusted: ask the store then."""
        found = await self._redis.mget(_VIEW + checkout_id, _BUILT_UNDER)
        stored, built_under = map(_bytes, found)
        if stored is None or not self._run_id.matches(built_under):
            return None
        head, _, body = stored.partition(b"\n")
        version, _, revision = head.partition(b" ")
        return View(checkout_id, int(version), body) if int(revision) >= REVISION else None

    async def apply(self, views: Sequence[View], advances: Sequence[Advance] = ()) -> bool:
        """Store the views that are newer than what is there, and the positions with them.

        False, and nothing is done, if Redis holds other positions than expected.
        """
        args: list[bytes | str | int] = [len(advances)]
        for move in advances:
            args += [move.partition, "" if move.expected is None else move.expected, move.new]
        for view in views:
            args += [view.version, REVISION, view.body]
        keys = [_POSITIONS, *(_VIEW + view.checkout_id for view in views)]
        return bool(await self._apply(keys=keys, args=args))

    async def outdated(self, versions: Mapping[str, int]) -> list[str]:
        """Those checkouts whose view is missing, older than this version or of an older shape."""
        pipeline = self._redis.pipeline(transaction=False)
        for checkout_id in versions:
            pipeline.getrange(_VIEW + checkout_id, 0, 40)
        heads = await pipeline.execute()
        return [
            checkout_id
            for (checkout_id, version), head in zip(versions.items(), heads, strict=True)
            if _head(head) < (version, REVISION)
        ]

    async def are_built(self) -> bool:
        """Whether all views are here, of this server process."""
        return self._run_id.matches(_bytes(await self._redis.get(_BUILT_UNDER)))

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
        pipeline.set(_BUILT_UNDER, run_id)
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

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


def chunks(views: Sequence[View]) -> Iterator[Sequence[View]]:
    """Views in portions that a slow network, too, takes within its bound: one at least in each."""
    chunk: list[View] = []
    size = 0
    for view in views:
        if chunk and (len(chunk) == _MAX_CHUNK_VIEWS or size + len(view.body) > _MAX_CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(view)
        size += len(view.body)
    if chunk:
        yield chunk


class RunId:
    """The `run_id` of the server at the other end, learnt anew by each connection.

    Connections to a server that is gone fail, so the newest connection's is everybody's.
    """

    def __init__(self, value: str = "") -> None:
        self.value = value

    def matches(self, built_under: bytes | None) -> bool:
        """Whether what was built under that server is this server's own."""
        return built_under is not None and built_under.decode() == self.value

    async def learn(self, connection: AbstractConnection) -> None:
        """Complete a new connection's handshake and ask the server who it is."""
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        info = await connection.read_response()
        text = info.decode() if isinstance(info, bytes) else str(info)
        fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        self.value = fields["run_id"]


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


def _head(head: bytes) -> tuple[int, int]:
    version, _, rest = head.partition(b" ")
    revision = rest.partition(b"\n")[0]
    return (int(version), int(revision)) if version and revision else (0, 0)
