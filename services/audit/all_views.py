"""Compares all records in Redis with the store, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from projections.redis.views import RedisViews
from services.audit.streams import portions_of
from services.audit.views_check import NOT_BUILT, ViewsCheck
from services.audit.violations import Progress, Violation
from services.event_store import EventStore

_BROKEN = "its stream is broken, so it has no view: see `checkout audit verify`"


async def wrong_views(
    store: EventStore, views: RedisViews, progress: Progress
) -> AsyncGenerator[Violation, None]:
    """The records that differ from what the store's streams fold to. Raises what the store and
    Redis raise.
    """
    if not await views.are_built():
        yield NOT_BUILT
        return
    check, events = ViewsCheck(views, store), 0
    newest, portions = await asyncio.to_thread(store.newest), portions_of(store)
    while portion := await asyncio.to_thread(next, portions, None):
        for checkout_id in portion.broken:
            yield Violation(_BROKEN, checkout_id)
        async for wrong in check.look(portion.checkouts):
            yield wrong.violation()
        events += len(portion.events)
        progress("Events in the store", events, newest)
    async for wrong in check.end(is_whole_store=True):
        yield wrong.violation()
    for violation in await check.wrong_indexes():
        yield violation
