"""Reading pages of the list of checkouts from Redis."""

from __future__ import annotations

import logging

from projections.list_page import ListFilter, ListPage
from projections.redis.circuit_breaker import REDIS_FAILURES, CircuitBreaker
from projections.redis.views import RedisViews

logger = logging.getLogger(__name__)


class ListReader:
    """Pages come from Redis or not at all: the event store has no index to read them from in time."""

    def __init__(self, views: RedisViews) -> None:
        self._views = views
        self._breaker = CircuitBreaker()

    async def page(self, wanted: ListFilter, limit: int, cursor: str | None) -> ListPage | None:
        """A page; None while Redis is down or being filled. Raises `UnknownCursor`."""
        if self._breaker.is_open:
            return None
        await self._views.know_source()
        try:
            async with self._breaker.attempt():
                return await self._views.page(wanted, limit, cursor)
        except REDIS_FAILURES as error:
            logger.warning("Redis does not answer, there is no list: %r", error)
            return None
