"""Rebuilds the records of all projections from the store, in place, without removing any."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from domain.checkout import Checkout
from projections.redis.views import RedisViews, chunks
from projections.registry import render_view

_STRETCH = 1_000
"""Events of the store that are read at a time."""


class EventSource(Protocol):
    """The event store, as far as a rebuild needs it."""

    def sweep(self, position: int, limit: int) -> tuple[int, list[Checkout]]:
        """The checkouts that begin in the next part of the log, and the position to continue from."""


async def rebuild(
    views: RedisViews,
    source: EventSource,
    positions: Mapping[str, int],
    progress: Callable[[int], Awaitable[None]] | None = None,
) -> int | None:
    """Write the records of each checkout in the store, then declare them complete.

    `positions` is where the projector continues. It must be read before this call, so that nothing
    published since is missed. `progress` gets the number of checkouts done. Returns that number, or
    None if Redis was restarted meanwhile, or the store began a new epoch: then start again.
    """
    begun = await views.begin_rebuild()
    position, count = 0, 0
    while True:
        reached, checkouts = await asyncio.to_thread(source.sweep, position, _STRETCH)
        for chunk in chunks([render_view(checkout, begun.lineage.epoch) for checkout in checkouts]):
            await views.apply(chunk)
        count += len(checkouts)
        if progress:
            await progress(count)
        if reached == position:
            break
        position = reached
    return count if await views.finish_rebuild(begun, positions) else None
