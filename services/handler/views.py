"""Showing one's own write: views written right after the commit, bounded in time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Protocol

from projections.redis_views import chunks
from projections.view import View

logger = logging.getLogger(__name__)

_BOUND = 0.5
"""Seconds that a write waits for each chunk of views at most."""

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
        if views and time.monotonic() < self._skip_until:
            return False
        return await self._apply(newest(views))

    async def show_for_certain(self, views: Sequence[View]) -> None:
        """Return only when readers see these views, or newer ones, however long it takes."""
        wanted = newest(views)
        shown = await self._apply(wanted)
        while not shown:
            await asyncio.sleep(_PAUSE)
            shown = await self._apply(wanted)

    async def _apply(self, views: Sequence[View]) -> bool:
        try:
            for chunk in chunks(views):
                async with asyncio.timeout(_BOUND):
                    await self._views.apply(chunk)
        except Exception as error:
            self._skip_until = time.monotonic() + _PAUSE
            logger.exception("%d views were not written: %s", len(views), type(error).__name__)
            return False
        return True


def newest(views: Sequence[View]) -> list[View]:
    """The newest view of each checkout."""
    found: dict[str, View] = {}
    for view in views:
        known = found.get(view.checkout_id)
        if known is None or known.version < view.version:
            found[view.checkout_id] = view
    return list(found.values())
