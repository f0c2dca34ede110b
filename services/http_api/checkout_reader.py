"""Reads a checkout's view: from Redis, or from the event store if Redis can't be trusted."""

from __future__ import annotations

import asyncio
import logging

from domain.checkout import fold
from projections.redis.circuit_breaker import REDIS_FAILURES, CircuitBreaker
from projections.redis.trust import TrustState, distrust
from projections.redis.views import RedisViews
from projections.registry import RenderedView, render_view
from services.event_store import EventStore
from services.event_store.recorder import StreamRange
from services.runtime.metrics import VIEWS_FROM

logger = logging.getLogger(__name__)


class CheckoutReader:
    """A missing view does not prove that the checkout is missing: only the store can say that.

    What is read from the store may be newer than what Redis shows to the next reader. So it is written to
    Redis before it is shown, or nobody reads Redis any more.
    """

    def __init__(self, views: RedisViews, store: EventStore) -> None:
        self._views = views
        self._store = store
        self._breaker = CircuitBreaker()

    async def get(self, checkout_id: str) -> RenderedView | None:
        """The view, or None if there is no such checkout. Raises `StoreUnavailable`, and
        `UnknownBeginning` if this build can show nothing of it.
        """
        trust = await self._views.trust.latest()
        is_read = trust.state is TrustState.TRUSTED
        view = await self._from_redis(checkout_id) if is_read else None
        VIEWS_FROM.labels(origin="redis" if view else "store").inc()
        if view:
            return view
        view = await self._from_store(checkout_id)
        if view and not await self._is_in_redis(view):
            await distrust(self._views.trust)
        return view

    async def _from_redis(self, checkout_id: str) -> RenderedView | None:
        if self._breaker.is_open:
            return None
        await self._views.know_source()
        try:
            async with self._breaker.attempt():
                return await self._views.get(checkout_id)
        except REDIS_FAILURES as error:
            logger.warning("Redis does not answer, reading from the event store: %r", error)
            return None

    async def _from_store(self, checkout_id: str) -> RenderedView | None:
        stream = StreamRange(checkout_id)
        found, epoch = await asyncio.to_thread(
            self._store.known_lineage.within_one_epoch, lambda: self._store.read((), [stream])
        )
        checkout = fold(found.streams.get(checkout_id, ()))
        return render_view(checkout, epoch) if checkout else None

    async def _is_in_redis(self, view: RenderedView) -> bool:
        """Write the view to the server that readers read, or will read. Also after a failure of Redis: one
        call that takes too long is no reason for all to stop reading it.
        """
        trust = await self._views.trust.latest()
        if trust.state is TrustState.DISTRUSTED:
            return False
        await self._views.know_source()
        try:
            async with self._breaker.attempt():
                return await self._views.apply_on(trust, [view])
        except REDIS_FAILURES:
            return False
