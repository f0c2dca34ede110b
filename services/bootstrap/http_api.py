"""The process of `checkout api`."""

from __future__ import annotations

from collections.abc import Mapping

from projections.redis.views import RedisViews
from services.bootstrap.connections import opened_store, opened_views
from services.bootstrap.parts import (
    running,
    serving_at,
    writing,
)
from services.bootstrap.readiness_checks import failure_check, store_check, views_check
from services.command_handling import GroupCommitter
from services.event_store import EventStore
from services.http_api.app import ApiParts, build_app
from services.http_api.checkout_reader import CheckoutReader
from services.http_api.list_reader import ListReader
from services.http_api.payment_watch import PaymentWatch
from services.http_api.point_in_time import PointInTimeReader
from services.kafka.topics import Topics
from services.runtime.health import Check
from services.runtime.settings import BadSetting, Settings, variable
from services.runtime.shutdown import until_told_to_stop
from services.security.api_keys import BadKeysFile, LiveKeys


async def run(settings: Settings) -> None:
    """`checkout api`: the HTTP API."""
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
        payments = PaymentWatch(store)
        topics = Topics(settings.topic_prefix)
        app = build_app(api_parts(writer, payments, store, views, keys, topics, checks))
        async with running(payments), serving_at(app, settings):
            await until_told_to_stop()


def api_parts(
    writer: GroupCommitter,
    payments: PaymentWatch,
    store: EventStore,
    views: RedisViews,
    keys: LiveKeys,
    topics: Topics,
    checks: Mapping[str, Check],
) -> ApiParts:
    """What the API is made of, on a store and views."""
    return ApiParts(
        writer,
        payments,
        CheckoutReader(views, store),
        ListReader(views),
        PointInTimeReader(store),
        keys,
        topics,
        checks,
    )
