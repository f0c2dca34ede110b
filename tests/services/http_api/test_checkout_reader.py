"""What a reader is shown from the store is in Redis before, or nobody reads Redis any more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from projections.rebuild import rebuild
from projections.redis.server_identity import RunId
from projections.redis.trust import TrustState
from projections.redis.views import RedisViews
from services.event_store import EventStore, open_store
from services.http_api.checkout_reader import CheckoutReader
from tests.services.command_handling.given import create, handler_on, update

TRUSTED, DISTRUSTED, RETURNING = TrustState.TRUSTED, TrustState.DISTRUSTED, TrustState.RETURNING


class Redis:
    """A Redis that tests may stop, and the views on it."""

    def __init__(self, store: EventStore, run_id: str = "server") -> None:
        self.server = FakeServer()
        self.run_id = RunId(run_id)
        self.views = RedisViews(
            FakeAsyncRedis(server=self.server),
            self.run_id,
            "t.",
            store.known_lineage,
            store.views_trust,
        )
        self._store = store

    async def set_trust(self, state: TrustState, run_id: str = "server") -> None:
        trust = self._store.views_trust
        assert await trust.move(await trust.latest(), state, run_id)

    async def stored_version(self) -> int | None:
        """The version of checkout `a` in Redis, whether or not it is trusted."""
        keys = self.views.keys
        stored = await FakeAsyncRedis(server=self.server).get(keys.record("view", "a"))
        return int(stored.split(b" ")[0]) if stored else None


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    with closing(open_store(f"sqlite:///{tmp_path}/events.db")) as opened:
        yield opened


@pytest.fixture
async def redis(store: EventStore) -> AsyncIterator[Redis]:
    redis = Redis(store)
    await rebuild(redis.views, store, {})
    await redis.set_trust(TRUSTED)
    yield redis
    redis.server.connected = True
    await redis.views.close()


@pytest.fixture
def reader(redis: Redis, store: EventStore) -> CheckoutReader:
    return CheckoutReader(redis.views, store)


async def version(reader: CheckoutReader) -> int | None:
    view = await reader.get("a")
    return view.version if view else None


async def test_a_view_that_redis_lacks_is_written_there_before_it_is_shown(
    store: EventStore, redis: Redis, reader: CheckoutReader
):
    handler_on(store).handle([create()])

    assert await version(reader) == 3

    assert await redis.stored_version() == 3
    assert store.views_trust.value.state is TRUSTED


async def test_while_redis_fails_nobody_is_shown_the_store_before_all_stop_reading_redis(
    store: EventStore, redis: Redis, reader: CheckoutReader
):
    handler_on(store).handle([create()])
    redis.server.connected = False

    assert await version(reader) == 3

    assert store.views_trust.read_again().state is DISTRUSTED
    assert store.views_trust.value.age >= 1.0


async def test_an_older_view_is_not_read_after_the_failure(
    store: EventStore, redis: Redis, reader: CheckoutReader
):
    handler_on(store).handle([create()])
    assert await version(reader) == 3
    redis.server.connected = False
    handler_on(store).handle([update()])
    shown = await version(reader)

    redis.server.connected = True

    assert await redis.stored_version() == 3
    assert await version(reader) == shown == 5


async def test_another_server_than_the_trusted_one_is_not_believed(
    store: EventStore, redis: Redis, reader: CheckoutReader
):
    handler_on(store).handle([create()])
    assert await version(reader) == 3
    handler_on(store).handle([update()])
    await redis.set_trust(TRUSTED, "another server")

    assert await version(reader) == 5
    assert store.views_trust.read_again().state is DISTRUSTED


async def test_while_redis_returns_a_view_is_shown_from_the_store_and_written(
    store: EventStore, redis: Redis, reader: CheckoutReader
):
    handler_on(store).handle([create()])
    assert await version(reader) == 3
    handler_on(store).handle([update()])
    await redis.set_trust(DISTRUSTED)
    await redis.set_trust(RETURNING)

    assert await version(reader) == 5

    assert await redis.stored_version() == 5
    assert store.views_trust.value.state is RETURNING
