"""Writes the records of changed checkouts right after the commit, with a time limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from projections.redis.circuit_breaker import PAUSE_SECONDS, CircuitBreaker
from projections.redis.views import chunks
from projections.registry import RenderedView

logger = logging.getLogger(__name__)


class Views(Protocol):
    """The read models, as far as a writer needs them."""

    async def apply(self, views: Sequence[RenderedView]) -> bool:
        """Store the records that are newer than those in Redis. Raises `RedisError`."""


class ViewWriter:
    """Writes records if Redis takes each portion in time. The projector repairs the rest."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._breaker = CircuitBreaker()

    async def show(self, views: Sequence[RenderedView]) -> bool:
        """Whether readers see these views, or newer ones, from now on."""
        if views and self._breaker.is_open:
            return False
        return await self._apply(newest(views))

    async def show_for_certain(self, views: Sequence[RenderedView]) -> None:
        """Return only when readers see these views, or newer ones, however long it takes."""
        wanted = newest(views)
        shown = await self._apply(wanted)
        while not shown:
            await asyncio.sleep(PAUSE_SECONDS)
            shown = await self._apply(wanted)

    async def _apply(self, views: Sequence[RenderedView]) -> bool:
        try:
            for chunk in chunks(views):
                async with self._breaker.attempt():
                    await self._views.apply(chunk)
        except Exception as error:
            logger.exception("%d views were not written: %s", len(views), type(error).__name__)
            return False
        return True


def newest(views: Sequence[RenderedView]) -> list[RenderedView]:
    """The newest view of each checkout."""
    found: dict[str, RenderedView] = {}
    for view in views:
        known = found.get(view.checkout_id)
        if known is None or known.version < view.version:
            found[view.checkout_id] = view
    return list(found.values())
