"""Writes the records of changed checkouts right after the commit, with a time limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from projections.redis.circuit_breaker import PAUSE_SECONDS, CircuitBreaker
from projections.redis.trust import Trust, TrustSource, TrustState, distrust
from projections.redis.views import chunks
from projections.registry import RenderedView
from services.event_store import StoreUnavailable

logger = logging.getLogger(__name__)


_LOOKS = 3
"""How often `show` looks at the trust: once, once more when all know it, and once if that came too early."""


class Views(Protocol):
    """The read models, as far as a writer needs them."""

    trust: TrustSource

    async def know_source(self) -> None:
        """Look at the store before calls of Redis are timed."""

    async def apply_on(self, trust: Trust, views: Sequence[RenderedView]) -> bool:
        """Store the records that are newer than those in Redis. Whether the server that views are written to
        has them. Raises `RedisError`.
        """


class ViewWriter:
    """Writes records if Redis takes each portion in time. The projector repairs the rest."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._breaker = CircuitBreaker()

    async def show(self, views: Sequence[RenderedView]) -> bool:
        """Whether readers see these views, or newer ones, from now on.

        While Redis is distrusted, all read the store: nothing needs to be written.
        """
        if not views:
            return True
        for _ in range(_LOOKS):
            trust = await self._views.trust.latest()
            if trust.state is not TrustState.DISTRUSTED:
                return not self._breaker.is_open and await self._apply(newest(views), trust)
            if trust.age >= self._views.trust.known_within:
                return True
            # A change that is young is not known to all readers yet.
            await asyncio.sleep(self._views.trust.known_within - trust.age)
        return False

    async def show_for_certain(self, views: Sequence[RenderedView]) -> None:
        """Return only when readers see these views, or newer ones, however long it takes: in Redis, or in the
        store if Redis does not take them.
        """
        if await self.show(views):
            return
        await asyncio.sleep(PAUSE_SECONDS)
        while not await self.show(views):
            # A second failure is no hiccup.
            try:
                await distrust(self._views.trust)
            except StoreUnavailable as error:
                logger.warning("%d views wait for Redis or the store: %s", len(views), error)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _apply(self, views: Sequence[RenderedView], trust: Trust) -> bool:
        are_shown = True
        try:
            for chunk in chunks(views):
                await self._views.know_source()
                async with self._breaker.attempt():
                    are_shown &= await self._views.apply_on(trust, chunk)
        except Exception as error:
            logger.exception("%d views were not written: %s", len(views), type(error).__name__)
            return False
        return are_shown


def newest(views: Sequence[RenderedView]) -> list[RenderedView]:
    """The newest view of each checkout."""
    found: dict[str, RenderedView] = {}
    for view in views:
        known = found.get(view.checkout_id)
        if known is None or known.version < view.version:
            found[view.checkout_id] = view
    return list(found.values())
