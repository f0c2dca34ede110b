"""All services together, on embedded servers and one data directory."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from domain.merchant_book import MerchantBook
from projections.rebuild import rebuild
from projections.redis.trust import TrustState
from projections.redis.views import RedisViews
from services.bootstrap import command_consumer, http_api, outbox_relay, payment_worker, projector
from services.bootstrap.http_server import serving
from services.bootstrap.parts import running, writing
from services.bootstrap.readiness_checks import failure_check
from services.dev import DevError
from services.dev.embedded import EmbeddedKafka, embedded_views
from services.event_store import open_store
from services.event_store.publication import Publication
from services.kafka.batch_consumer import BatchConsumer
from services.kafka.connection import connection_of
from services.kafka.topics import Topics
from services.outbox_relay.relay import OutboxRelay
from services.payment_worker.providers.test.gateway import FakeGateway
from services.projector.projector import Projector
from services.runtime.settings import Settings, read_book
from services.security.api_keys import ReloadingApiKeys, Scope, create_key, load_ring
from services.security.token_encryption import TokenKeys, new_key_line

DEMO_BOOK = Path(__file__).parents[2] / "domain" / "demo_book.toml"

_READY_SECONDS = 20.0


class DataInUse(DevError):
    """Another process uses the same directory."""


class NotReady(DevError):
    """The system did not start in time."""


@dataclass(frozen=True)
class DevSystem:
    """A running system: its addresses, and the parts that a test may stop."""

    http: str
    kafka: str
    api_key: str
    data: Path
    topics: Topics
    views: RedisViews
    relay: OutboxRelay
    projector: Projector

    def ready_line(self) -> dict[str, str]:
        """The line of `--json`, for scripts."""
        return {
            "http": self.http,
            "kafka": self.kafka,
            "api_key": self.api_key,
            "data": str(self.data),
        }


@contextlib.asynccontextmanager
async def dev_system(
    data: Path, api_key: str | None = None, http_port: int = 0
) -> AsyncIterator[DevSystem]:
    """Run everything within the block. Raises `DataInUse`, `OSError` or `BadSetting`."""
    settings = Settings.load()
    book = _book(settings)
    topics = Topics(settings.topic_prefix)
    async with contextlib.AsyncExitStack() as stack:
        # The store creates the directory.
        store = await asyncio.to_thread(open_store, f"sqlite:///{data / 'events.db'}")
        stack.callback(store.close)
        if store.try_lock("dev") is None:
            raise DataInUse(f"{data} is in use by another checkout dev")
        token = _api_key(data, api_key)
        kafka = await asyncio.to_thread(EmbeddedKafka, topics.all)
        # The broker is new and empty, so all events are published to it again.
        store.publication.restart(Publication())
        views = embedded_views(settings.topic_prefix, store)
        stack.push_async_callback(views.close)
        await rebuild(views, store, {})
        # Nobody else reads them: no other process has the directory.
        trust = store.views_trust
        await trust.move(await trust.latest(), TrustState.TRUSTED, views.run_id)
        connection = connection_of(
            settings.model_copy(
                update={
                    "kafka_bootstrap_servers": kafka.bootstrap_servers,
                    "kafka_security_protocol": "PLAINTEXT",
                }
            )
        )
        token_keys = TokenKeys.parse(
            _stored_secret(data, "token-keys", lambda: new_key_line("dev"))
        )
        writer = await stack.enter_async_context(writing(store, views, book, token_keys))
        gateway = FakeGateway(data / "test-payments.db")
        relay = outbox_relay.build(settings, connection, store)
        projection = projector.build(settings, connection, store, views)
        consumer = command_consumer.build(settings, connection, writer)
        payments = payment_worker.build(settings, store, writer, gateway, token_keys)
        checks = {
            "commands": failure_check(consumer.batch_consumer),
            "projector": failure_check(projection.batch_consumer),
            "relay": failure_check(relay),
            "position of relay": failure_check(relay.guard),
            "payments": failure_check(payments),
            "lag of commands": failure_check(consumer.lag),
            "lag of projector": failure_check(projection.lag),
            "lag of relay": failure_check(relay.lag),
            "lag of payments": failure_check(payments.lag),
        }
        keys = ReloadingApiKeys(_keys_file(data))
        app, watch = http_api.build(settings, store, views, writer, keys, checks)
        await stack.enter_async_context(running(relay, projection, consumer, payments, watch))
        port = await stack.enter_async_context(serving(app, "127.0.0.1", http_port))
        await _until_assigned(consumer.batch_consumer, projection.batch_consumer)
        yield DevSystem(
            http=f"http://127.0.0.1:{port}",
            kafka=kafka.bootstrap_servers,
            api_key=token,
            data=data,
            topics=topics,
            views=views,
            relay=relay,
            projector=projection,
        )


def _book(settings: Settings) -> MerchantBook:
    return read_book(settings.merchant_file or DEMO_BOOK)


def _api_key(data: Path, given: str | None) -> str:
    """The API key: the given one, or one that is generated once and kept in the directory."""
    if given is None:
        given = _stored_secret(
            data, "dev-api-key", lambda: f"ck_{secrets.token_urlsafe(32)}"
        ).strip()
    path = _keys_file(data)
    if not path.exists() or load_ring(path).find(given) is None:
        name = f"dev-{hashlib.sha256(given.encode()).hexdigest()[:8]}"
        create_key(path, name, list(Scope), given)
    return given


def _stored_secret(data: Path, name: str, make: Callable[[], str]) -> str:
    """A secret that is generated once and kept in the directory."""
    path = data / name
    if not path.exists() or not path.read_text().strip():
        path.touch(mode=0o600)
        path.write_text(make())
    return path.read_text()


def _keys_file(data: Path) -> Path:
    return data / "api-keys.json"


async def _until_assigned(*consumers: BatchConsumer) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            for consumer in consumers:
                await consumer.until_assigned()
    except TimeoutError:
        raise NotReady(f"not ready within {_READY_SECONDS:.0f} s") from None
