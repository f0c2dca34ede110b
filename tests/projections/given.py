"""What the tests of the read model begin with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from fakeredis import FakeAsyncRedis, FakeServer

from domain.checkout import Checkout, fold
from domain.commands import CreateCheckout
from domain.decide import decide
from domain.events import Channel, Metadata, record
from domain.lineage import Lineage
from domain.merchant_file import parse_book
from projections.list_index import INDEX
from projections.projection import Record
from projections.redis.server_identity import RunId
from projections.redis.trust import Trust, TrustState
from projections.redis.views import RedisViews, connect
from projections.registry import LIST_INDEX, PROJECTIONS, RenderedView

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
METADATA = Metadata(
    channel=Channel.HTTP,
    actor="shop",
    command_source="/api",
    command_id="c-1",
    correlation_id="r-1",
)
BOOK = parse_book((Path(__file__).parents[2] / "domain" / "demo_book.toml").read_text())


def view(version: int, checkout_id: str = "a", body: bytes | None = None) -> RenderedView:
    """A view of canned content, with the record of each projection."""
    body = body or b'{"version":%d}' % version
    member = f"{1:015x}{checkout_id}"
    records = tuple(
        Record(body, member, (f"{INDEX}canceled",)) if it is LIST_INDEX else Record(body)
        for it in PROJECTIONS
    )
    return RenderedView(checkout_id, version, body, records)


def checkout(checkout_id: str) -> Checkout:
    """A checkout of one mug, at version 3."""
    command = CreateCheckout.parse({"items": [{"id": "item_123", "quantity": 1}]})
    folded = fold(record(checkout_id, 0, NOW, decide(None, command, BOOK).events, METADATA))
    assert folded is not None
    return folded


class AnyServer(Trust):
    """Trust in any server."""

    def is_for(self, run_id: str) -> bool:
        return True


class AlwaysTrusted:
    """A store that trusts every Redis, as long as its records are whole."""

    known_within = 0.0

    async def latest(self) -> Trust:
        return AnyServer("any", TrustState.TRUSTED, 1)

    async def move(self, before: Trust, state: TrustState, run_id: str) -> bool:
        raise AssertionError(f"nobody changes it: {before} to {state} for {run_id}")


class TrustedServer:
    """Views on the server that everybody reads."""

    trust = AlwaysTrusted()

    async def know_source(self) -> None:
        """The store is this object."""

    async def apply_on(self, trust: Trust, views: Sequence[RenderedView]) -> bool:
        await self.apply(views)
        return True

    async def apply(self, views: Sequence[RenderedView]) -> bool:
        raise NotImplementedError


class History:
    """A store's lineage, as far as views need it."""

    def __init__(self, lineage: str = "5703e" * 6 + "00", epoch: int = 0) -> None:
        self.value = Lineage(lineage, epoch)

    async def latest(self) -> Lineage:
        return self.value


def views_in(redis: FakeAsyncRedis, run_id: RunId | None = None) -> RedisViews:
    """Views of some store in a Redis of this process."""
    return RedisViews(redis, run_id or RunId("fake"), "checkout.", History(), AlwaysTrusted())


def views_at(url: str) -> RedisViews:
    """Views of some store in the Redis at a URL."""
    return connect(url, "checkout.", History(), AlwaysTrusted())


class Redis:
    """A Redis server that can be restarted, empty or with what it held."""

    def __init__(self) -> None:
        self._server = FakeServer()
        self.run_id = RunId("first")

    def views(self) -> RedisViews:
        return views_in(FakeAsyncRedis(server=self._server), self.run_id)

    def restart(self, *, empty: bool) -> None:
        self.run_id.value = f"after {self.run_id.value}"
        if empty:
            self._server = FakeServer()
