"""The one place that wires: what each process is made of, started in order and stopped in reverse."""

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
from services.api.app import ApiParts, build_app
from services.api.payment_watch import PaymentWatch
from services.checks import failure_check, store_check, views_check
from services.commands.service import CommandService
from services.handler import Handler, Writer
from services.handler.views import ViewWriter
from services.health import Check, health_routes
from services.kafka.connection import connection_of
from services.kafka.topics import Topics
from services.kafka.topics_check import TopicsCheck
from services.keys import BadKeysFile, LiveKeys
from services.lag import LagWatch
from services.opening import opened_store, opened_views
from services.payments.provider import PaymentProvider
from services.payments.providers import provider_of
from services.payments.service import PaymentsService
from services.projector.service import ProjectorService
from services.relay.service import RelayService
from services.serving import CannotServe, serving
from services.settings import BadSetting, Settings, variable
from services.stopping import stop_signal, until_told_to_stop
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


async def run_api(settings: Settings) -> None:
    """`checkout api`: the HTTP door."""
    book, token_keys = settings.book(), settings.token_keyring()
    if settings.api_keys_file is None:
        raise BadSetting(f"{variable('api_keys_file')} is not set, and this service needs it")
    try:
        keys = LiveKeys(settings.api_keys_file)
    except BadKeysFile as error:
        raise BadSetting(f"{variable('api_keys_file')}: {error}") from None
    async with (
        opened_store(settings) as store,
        opened_views(settings) as views,
        writing(store, views, book, token_keys) as writer,
    ):
        checks = {
            "store": store_check(store),
            "writer": failure_check(writer),
            "redis": views_check(views),
            "keys": failure_check(keys),
        }
        topics, payments = Topics(settings.topic_prefix), PaymentWatch(store)
        app = build_app(ApiParts(writer, payments, store, views, keys, topics, checks))
        async with running(payments), _serving(app, settings):
            await until_told_to_stop()


async def run_commands(settings: Settings) -> None:
    """`checkout commands`: the Kafka door."""
    book, token_keys = settings.book(), settings.token_keyring()
    connection = connection_of(settings)
    async with (
        opened_store(settings) as store,
        opened_views(settings) as views,
        writing(store, views, book, token_keys) as writer,
    ):
        topics = Topics(settings.topic_prefix)
        service = CommandService(connection, topics, writer, utc_now, settings.max_lag_events)
        checks = {
            "store": store_check(store),
            "writer": failure_check(writer),
            "redis": views_check(views),
            "kafka": failure_check(service.subscription),
        }
        needed = (topics.commands, topics.replies, topics.dead_letters)
        await _run_with_health(settings, service, checks, TopicsCheck(connection, needed))


async def run_relay(settings: Settings) -> None:
    """`checkout relay`: from the store to Kafka."""
    connection, topics = connection_of(settings), Topics(settings.topic_prefix)
    async with opened_store(settings) as store:
        service = RelayService(store, connection, topics, settings.max_lag_events)
        checks = {"store": store_check(store), "kafka": failure_check(service)}
        await _run_with_health(settings, service, checks, TopicsCheck(connection, [topics.events]))


async def run_projector(settings: Settings) -> None:
    """`checkout projector`: from Kafka to Redis."""
    connection, topics = connection_of(settings), Topics(settings.topic_prefix)
    async with opened_store(settings) as store, opened_views(settings) as views:
        service = ProjectorService(store, views, connection, topics, settings.max_lag_events)
        checks = {
            "store": store_check(store),
            "redis": views_check(views),
            "kafka": failure_check(service.subscription),
            "views": failure_check(service),
        }
        await _run_with_health(settings, service, checks, TopicsCheck(connection, [topics.events]))


async def run_payments(settings: Settings) -> None:
    """`checkout payments`: from payment attempts to a provider, and back to the handler."""
    book, token_keys = settings.book(), settings.token_keyring()
    provider = provider_of(settings)
    async with (
        opened_store(settings) as store,
        opened_views(settings) as views,
        writing(store, views, book, token_keys) as writer,
    ):
        service = payments_service(settings, store, writer, provider, token_keys)
        checks = {
            "store": store_check(store),
            "writer": failure_check(writer),
            "redis": views_check(views),
            "payments": failure_check(service),
        }
        await _run_with_health(settings, service, checks)


def payments_service(
    settings: Settings,
    store: EventStore,
    writer: Writer,
    provider: PaymentProvider,
    token_keys: TokenKeys,
) -> PaymentsService:
    """The payment workers of a process."""
    return PaymentsService(
        store,
        writer,
        provider,
        token_keys,
        concurrency=settings.payment_concurrency,
        lease_seconds=settings.payment_lease_seconds,
        max_lag=settings.max_lag_events,
    )


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


async def _run_with_health(
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
    async with _serving(app, settings):
        told_to_stop = stop_signal()
        if topics and not await topics.pass_before(told_to_stop):
            return
        async with running(service):
            await told_to_stop.wait()


@contextlib.asynccontextmanager
async def _serving(app: ASGIApp, settings: Settings) -> AsyncIterator[None]:
    try:
        async with serving(app, settings.http_host, settings.http_port):
            yield
    except CannotServe as error:
        names = f"{variable('http_host')} or {variable('http_port')}"
        raise BadSetting(f"{names}: {error}") from None
