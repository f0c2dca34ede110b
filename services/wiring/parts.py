"""What processes have in common: the clock, the writer, health, and their start and stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Protocol

from starlette.applications import Starlette
from starlette.types import ASGIApp

from domain.merchant import MerchantBook
from projections.redis_views import RedisViews
from services.checks import failure_check
from services.handler import Handler, Writer
from services.handler.views import ViewWriter
from services.health import Check, health_routes
from services.kafka.topics_check import TopicsCheck
from services.lag import LagWatch
from services.serving import CannotServe, serving
from services.settings import BadSetting, Settings, variable
from services.stopping import stop_signal
from services.store import EventStore
from services.token_keys import TokenKeys

_STOP_SECONDS = 10.0


def utc_now() -> datetime:
    """The clock that all processes go by."""
    return datetime.now(UTC)


class Part(Protocol):
    """Something that runs beside others in a process."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End, and finish what is in hand."""


class Service(Part, Protocol):
    """What a process is there for, and can fall behind with."""

    lag: LagWatch


@contextlib.asynccontextmanager
async def writing(
    store: EventStore, views: RedisViews, book: MerchantBook, token_keys: TokenKeys
) -> AsyncIterator[Writer]:
    """The handler and its one writer thread."""
    writer = Writer(Handler(store, book, utc_now, token_keys.seal), ViewWriter(views))
    writer.start()
    try:
        yield writer
    finally:
        await writer.stop()


@contextlib.asynccontextmanager
async def running(*services: Part) -> AsyncIterator[None]:
    """Services within the block, started together and stopped together; their stop is bounded."""
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
    topics: TopicsCheck | None = None,
) -> None:
    """Run a service, on topics that are as they should be if it has some. Raises `WrongTopic`."""
    more = {"lag": failure_check(service.lag)}
    if topics:
        more["topics"] = failure_check(topics)
    app = Starlette(routes=health_routes({**checks, **more}))
    async with serving_at(app, settings):
        told_to_stop = stop_signal()
        if topics and not await topics.pass_before(told_to_stop):
            return
        async with running(service):
            await told_to_stop.wait()


@contextlib.asynccontextmanager
async def serving_at(app: ASGIApp, settings: Settings) -> AsyncIterator[None]:
    """An application served where the settings say. Raises `BadSetting`."""
    try:
        async with serving(app, settings.http_host, settings.http_port):
            yield
    except CannotServe as error:
        names = f"{variable('http_host')} or {variable('http_port')}"
        raise BadSetting(f"{names}: {error}") from None
