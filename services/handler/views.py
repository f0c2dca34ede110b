"""Showing one's own write: views written right after the commit, bounded in time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Protocol

from redis.exceptions import RedisError

from projections.view import View

logger = logging.getLogger(__name__)

_BOUND = 0.5
"""Seconds that a write waits for its view at most."""

_PAUSE = 1.0
"""Seconds for which views are skipped after a failure, so that not each write waits for the bound."""


class Views(Protocol):
    """The read model, as far as a writer needs it."""

    async def apply(self, views: Sequence[View]) -> bool:
        """Store the views that are newer than what is there. Raises `RedisError`."""


class ViewWriter:
    """Writes views if the read model answers in time. The projector mends what is left out."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._skip_until = 0.0

    async def show(self, views: Sequence[View]) -> bool:
        """Whether readers see these views, or newer ones, from now on."""
        if not views:
            return True
        if time.monotonic() < self._skip_until:
            return False
        return await self._apply(views)

    async def show_for_certain(self, views: Sequence[View]) -> None:
        """Return only when readers see these views, or newer ones, however long it takes."""
        shown = not views
        while not shown:
            shown = await self._apply(views)
            if not shown:
                await asyncio.sleep(_PAUSE)

    async def _apply(self, views: Sequence[View]) -> bool:
        try:
            async with asyncio.timeout(_BOUND):
                await self._views.apply(views)
        except (RedisError, OSError, TimeoutError) as error:
            self._skip_until = time.monotonic() + _PAUSE
            logger.warning("%d views were not written: %r", len(views), error)
            return False
        return True
