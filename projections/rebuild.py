"""Building all views again from the store: in place, without taking any view back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from domain.checkout import Checkout
from projections.redis.views import RedisViews, chunks
from projections.registry import render_view

_STRETCH = 1_000
"""Events of the store that are gone through at a time."""


class Source(Protocol):
    """The event store, as far as a rebuild needs it."""

    def sweep(self, position: int, limit: int) -> tuple[int, list[Checkout]]:
        """The checkouts that begin in the next stretch of the log, and where to go on."""


async def rebuild(
    views: RedisViews,
    source: Source,
    positions: Mapping[str, int],
    progress: Callable[[int], Awaitable[None]] | None = None,
) -> int | None:
    """Write the view of each checkout in the store, and then declare the views complete.

    `positions` is where the projector goes on: taken before this call, so that nothing published
    since is missed. `progress` is told how many views were looked at so far. Returns their number,
    or None when Redis was restarted on the way: begin again then.
    """
    run_id = await views.begin_rebuild()
    position, count = 0, 0
    while True:
        reached, checkouts = await asyncio.to_thread(source.sweep, position, _STRETCH)
        for chunk in chunks([render_view(checkout) for checkout in checkouts]):
            await views.apply(chunk)
        count += len(checkouts)
        if progress:
            await progress(count)
        if reached == position:
            break
        position = reached
    return count if await views.finish_rebuild(run_id, positions) else None
