"""The process of `checkout api`: the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping

from projections.redis.views import RedisViews
from services.bootstrap.connections import opened_store, opened_views
from services.bootstrap.parts import running, serving_at, writing
from services.bootstrap.readiness_checks import failure_check, store_check, views_check
from services.command_handling import GroupCommitter
from services.event_store import EventStore
from services.http_api.app import ApiDependencies, HttpApi
from services.http_api.checkout_reader import CheckoutReader
from services.http_api.history_reader import HistoryReader
from services.http_api.list_reader import ListReader
from services.http_api.payment_watch import PaymentWatch
from services.kafka.topics import Topics
from services.runtime.health import Check, degrading
from services.runtime.settings import BadSetting, Settings, variable
from services.runtime.shutdown import until_stop_requested
from services.security.api_keys import BadKeysFile, ReloadingApiKeys


def build(
    settings: Settings,
    store: EventStore,
    views: RedisViews,
    writer: GroupCommitter,
    keys: ReloadingApiKeys,
    more_checks: Mapping[str, Check],
) -> tuple[HttpApi, PaymentWatch]:
    """The API of a process, ready if these and its own checks pass, and what must run beside it."""
    payments = PaymentWatch(store)
    checks = {
        "store": store_check(store),
        "writer": failure_check(writer),
        "redis": degrading(views_check(views)),
        "keys": failure_check(keys),
        **more_checks,
    }
    parts = ApiDependencies(
        writer,
        payments,
        CheckoutReader(views, store),
        ListReader(views),
        HistoryReader(store),
        keys,
        Topics(settings.topic_prefix),
        checks,
    )
    return HttpApi(parts), payments


async def run(settings: Settings) -> None:
    """Run until a stop is requested."""
    book, token_keys, keys = settings.book(), settings.token_keyring(), _keys(settings)
    async with (
        opened_store(settings) as store,
        opened_views(settings, store) as views,
        writing(store, views, book, token_keys) as writer,
    ):
        app, payments = build(settings, store, views, writer, keys, {})
        async with running(payments), serving_at(app, settings):
            await until_stop_requested()


def _keys(settings: Settings) -> ReloadingApiKeys:
    if settings.api_keys_file is None:
        raise BadSetting(f"{variable('api_keys_file')} is not set, and this service needs it")
    try:
        return ReloadingApiKeys(settings.api_keys_file)
    except BadKeysFile as error:
        raise BadSetting(f"{variable('api_keys_file')}: {error}") from None
