"""What processes share: the clock, the writer, health, start and stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Protocol

from starlette.applications import Starlette
from starlette.types import ASGIApp

from domain.merchant_book import MerchantBook
from projections.redis.views import RedisViews
from services.bootstrap.http_server import CannotServe, serving
from services.bootstrap.readiness_checks import failure_check
from services.command_handling import GroupCommitter, Handler
from services.command_handling.view_writer import ViewWriter
from services.event_store import EventStore
from services.event_store.side_row_encoder import side_row_encoder
from services.kafka.topic_readiness import TopicReadiness
from services.runtime.health import Check, health_routes
from services.runtime.lag import LagMonitor
from services.runtime.settings import BadSetting, Settings, variable
from services.runtime.shutdown import stop_signal
from services.security.token_encryption import TokenKeys

_STOP_SECONDS = 10.0


def utc_now() -> datetime:
    """The clock of all processes, in UTC."""
    return datetime.now(UTC)


class Part(Protocol):
    """Something that runs beside others in a process."""

    async def start(self) -> None:
        """Start."""

    async def stop(self) -> None:
        """Finish what is in hand and stop."""


class Service(Part, Protocol):
    """The main part of a process, which can fall behind."""

    lag: LagMonitor


@contextlib.asynccontextmanager
async def writing(
    store: EventStore, views: RedisViews, book: MerchantBook, token_keys: TokenKeys | None
) -> AsyncIterator[GroupCommitter]:
    """The handler and its one writer thread. Without token keys it can end payments, not start them."""
    encoder = side_row_encoder(token_keys.encrypt if token_keys else None)
    handler = Handler(store, book, utc_now, encoder)
    writer = GroupCommitter(handler, ViewWriter(views))
    writer.start()
    try:
        yield writer
    finally:
        await writer.stop()


@contextlib.asynccontextmanager
async def running(*services: Part) -> AsyncIterator[None]:
    """Run services within the block: started together, stopped together within a time limit."""
    try:
        await asyncio.gather(*(service.start() for service in services))
        yield
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await asyncio.gather(*(service.stop() for service in services))


async def run_with_health(
    settings: Settings,
    service: Service,
    checks: Mapping[str, Check],
    topics: TopicReadiness | None = None,
) -> None:
    """Run a service until a stop is requested, after checking its topics if it has some.
    Raises `WrongTopic`.
    """
    more = {"lag": failure_check(service.lag)}
    if topics:
        more["topics"] = failure_check(topics)
    app = Starlette(routes=health_routes({**checks, **more}))
    async with serving_at(app, settings):
        stop_requested = stop_signal()
        if topics and not await topics.pass_before(stop_requested):
            return
        async with running(service):
            await stop_requested.wait()


@contextlib.asynccontextmanager
async def serving_at(app: ASGIApp, settings: Settings) -> AsyncIterator[None]:
    """Serve an application where the settings say. Raises `BadSetting`."""
    try:
        async with serving(app, settings.http_host, settings.http_port, settings.http_keep_alive):
            yield
    except CannotServe as error:
        names = f"{variable('http_host')} or {variable('http_port')}"
        raise BadSetting(f"{names}: {error}") from None
