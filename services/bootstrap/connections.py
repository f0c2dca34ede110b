"""Opens the event store and the views that the settings name."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from projections.redis.circuit_breaker import REDIS_FAILURES, CircuitBreaker
from projections.redis.views import RedisViews, connect
from services.bootstrap.readiness_checks import eviction_problem
from services.event_store import EventStore, StoreUnavailable, open_store
from services.runtime.settings import BadSetting, Settings, variable

logger = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def opened_store(
    settings: Settings, *, may_migrate: bool | None = None
) -> AsyncIterator[EventStore]:
    """The event store that the settings name. Whether it may be migrated is a setting too, unless given.

    Raises `BadSetting`, `StoreUnavailable` and `SchemaOutdated`.
    """
    if settings.event_store_url is None:
        raise BadSetting(f"{variable('event_store_url')} is not set, and this service needs it")
    if may_migrate is None:
        may_migrate = settings.event_store_migrate == "auto"
    url = settings.event_store_url.get_secret_value()
    try:
        store = await asyncio.to_thread(open_store, url, may_migrate=may_migrate)
    except ValueError as error:
        raise BadSetting(f"{variable('event_store_url')} {error}") from None
    except (OSError, StoreUnavailable) as error:
        raise StoreUnavailable(f"{variable('event_store_url')}: {error}") from None
    end_watch = store.watch_server()
    try:
        yield store
    finally:
        end_watch()
        store.close()


@contextlib.asynccontextmanager
async def opened_views(settings: Settings, store: EventStore) -> AsyncIterator[RedisViews]:
    """The views of the store in the Redis that the settings name. Raises `BadSetting`."""
    if settings.redis_url is None:
        raise BadSetting(f"{variable('redis_url')} is not set, and this service needs it")
    try:
        url, prefix = settings.redis_url.get_secret_value(), settings.topic_prefix
        views = connect(url, prefix, store.known_lineage, store.views_trust)
    except ValueError as error:
        raise BadSetting(f"{variable('redis_url')}: {error}") from None
    try:
        await _log_eviction(views)
        yield views
    finally:
        await views.close()


async def _log_eviction(views: RedisViews) -> None:
    """An error at the start. It also keeps the service from being ready, until the policy is changed."""
    with contextlib.suppress(*REDIS_FAILURES):
        async with CircuitBreaker().attempt():
            if evicting := await eviction_problem(views):
                logger.error("%s: %s", variable("redis_url"), evicting)
