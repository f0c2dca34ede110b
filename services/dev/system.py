"""All services together, on embedded servers and one directory of data."""

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
from projections.redis.views import RedisViews
from services.bootstrap.http_api import api_parts
from services.bootstrap.http_server import serving
from services.bootstrap.parts import running, utc_now, writing
from services.bootstrap.payment_worker import payment_worker
from services.bootstrap.readiness_checks import failure_check, store_check, views_check
from services.command_consumer.consumer import CommandConsumer
from services.dev import DevError
from services.dev.embedded import EmbeddedKafka, embedded_views
from services.event_store import open_store
from services.event_store.positions import RELAY
from services.http_api.app import build_app
from services.http_api.payment_watch import PaymentWatch
from services.kafka.connection import connection_of
from services.kafka.subscription import Subscription
from services.kafka.topics import Topics
from services.outbox_relay.relay import OutboxRelay
from services.payment_worker.providers.test.gateway import FakeGateway
from services.projector.projector import Projector
from services.runtime.settings import Settings, read_book
from services.security.api_keys import LiveKeys, Scope, create_key, load_ring
from services.security.token_encryption import TokenKeys, new_key_line

DEMO_BOOK = Path(__file__).parents[2] / "domain" / "demo_book.toml"

_READY_SECONDS = 20.0


class DataInUse(DevError):
    """Another process runs on the same directory."""


class NotReady(DevError):
    """The system did not come up in time."""


@dataclass(frozen=True)
class DevSystem:
    """A running system: where to reach it, and its parts for whoever wants to stop one."""

    http: str
    kafka: str
    api_key: str
    data: Path
    topics: Topics
    views: RedisViews
    relay: OutboxRelay
    projector: Projector

    def ready_line(self) -> dict[str, str]:
        """What a script needs to know."""
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
        # The store makes the directory if it is not there.
        store = await asyncio.to_thread(open_store, f"sqlite:///{data / 'events.db'}")
        stack.callback(store.close)
        if store.try_lock("dev") is None:
            raise DataInUse(f"{data} is in use by another checkout dev")
        token = _api_key(data, api_key)
        kafka = await asyncio.to_thread(EmbeddedKafka, topics.all)
        # The broker is new and holds nothing, so all events are published to it again.
        store.rewind(RELAY)
        views = embedded_views()
        stack.push_async_callback(views.close)
        await rebuild(views, store, {})
        connection = connection_of(
            settings.model_copy(
                update={
                    "kafka_bootstrap_servers": kafka.bootstrap_servers,
                    "kafka_security_protocol": "PLAINTEXT",
                }
            )
        )
        token_keys = TokenKeys.parse(_kept(data, "token-keys", lambda: new_key_line("dev")))
        writer = await stack.enter_async_context(writing(store, views, book, token_keys))
        provider = FakeGateway(data / "test-payments.db")
        payments = payment_worker(settings, store, writer, provider, token_keys)
        relay = OutboxRelay(store, connection, topics, settings.max_lag_events)
        projector = Projector(store, views, connection, topics, settings.max_lag_events)
        commands = CommandConsumer(connection, topics, writer, utc_now, settings.max_lag_events)
        watch = PaymentWatch(store)
        await stack.enter_async_context(running(relay, projector, commands, payments, watch))
        keys = LiveKeys(_keys_file(data))
        checks = {
            "store": store_check(store),
            "writer": failure_check(writer),
            "keys": failure_check(keys),
            "redis": views_check(views),
            "commands": failure_check(commands.subscription),
            "projector": failure_check(projector.subscription),
            "relay": failure_check(relay),
            "payments": failure_check(payments),
            "lag of commands": failure_check(commands.lag),
            "lag of projector": failure_check(projector.lag),
            "lag of relay": failure_check(relay.lag),
            "lag of payments": failure_check(payments.lag),
        }
        app = build_app(api_parts(writer, watch, store, views, keys, topics, checks))
        port = await stack.enter_async_context(serving(app, "127.0.0.1", http_port))
        await _until_assigned(commands.subscription, projector.subscription)
        yield DevSystem(
            http=f"http://127.0.0.1:{port}",
            kafka=kafka.bootstrap_servers,
            api_key=token,
            data=data,
            topics=topics,
            views=views,
            relay=relay,
            projector=projector,
        )


def _book(settings: Settings) -> MerchantBook:
    return read_book(settings.merchant_file or DEMO_BOOK)


def _api_key(data: Path, given: str | None) -> str:
    """The key to use: the given one, or one that is made once and kept in the directory."""
    if given is None:
        given = _kept(data, "dev-api-key", lambda: f"ck_{secrets.token_urlsafe(32)}").strip()
    path = _keys_file(data)
    if not path.exists() or load_ring(path).find(given) is None:
        name = f"dev-{hashlib.sha256(given.encode()).hexdigest()[:8]}"
        create_key(path, name, list(Scope), given)
    return given


def _kept(data: Path, name: str, make: Callable[[], str]) -> str:
    """A secret that is made once and kept in the directory."""
    path = data / name
    if not path.exists() or not path.read_text().strip():
        path.touch(mode=0o600)
        path.write_text(make())
    return path.read_text()


def _keys_file(data: Path) -> Path:
    return data / "api-keys.json"


async def _until_assigned(*subscriptions: Subscription) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            for subscription in subscriptions:
                await subscription.until_assigned()
    except TimeoutError:
        raise NotReady(f"not ready within {_READY_SECONDS:.0f} s") from None
