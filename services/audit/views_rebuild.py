"""Repairs the records in Redis in place, while they are read and written."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from projections.redis.views import RedisViews, chunks
from projections.registry import render_view
from services.audit.streams import portions_of
from services.audit.views_check import ViewsCheck, WrongRecord
from services.audit.violations import Progress
from services.event_store import EventStore

_LOCK = "rebuild"
_LOCK_SECONDS = 60
_LOOK_SECONDS = 0.5

Positions = Callable[[], Awaitable[Mapping[str, int]]]
"""Returns the ends of the event topic, where the projector continues."""


@dataclass(slots=True)
class Rebuilt:
    """The result: checkouts done, records that had to be replaced or removed, and checkouts whose
    stream is broken, so that they have no record.
    """

    views: int = 0
    mended: int = 0
    broken: int = 0


class RebuildOvertaken(Exception):
    """Redis was restarted, the store began a new epoch or another rebuild began meanwhile. What was built
    doesn't count.
    """


class Rebuild:
    """One rebuild, under the lock that the projectors take too."""

    def __init__(
        self, views: RedisViews, store: EventStore, positions: Positions, progress: Progress
    ) -> None:
        self._views = views
        self._store = store
        self._positions = positions
        self._progress = progress
        self._name = uuid.uuid4().hex
        self.result = Rebuilt()

    async def run(self) -> None:
        """Wait for the lock, then repair the records of the whole store.

        Raises `RedisError`, `StoreUnavailable`, `KafkaUnavailable` and `RebuildOvertaken`.
        """
        while True:
            if await self._hold_lock():
                break
            await asyncio.sleep(_LOOK_SECONDS)
        try:
            if await self._views.are_built() and not await self._views.miscounted():
                await self._go_through(self._views.keys.lineage.epoch)
                return
            # Read before: everything before these positions is in the store already.
            positions = await self._positions()
            begun = await self._views.begin_rebuild()
            await self._go_through(begun.lineage.epoch)
            if not await self._views.finish_rebuild(begun, positions):
                raise RebuildOvertaken(
                    "Redis was restarted, the store began a new epoch, or another rebuild began meanwhile: "
                    "run it again"
                )
        finally:
            await self._views.unlock(_LOCK, self._name)

    async def _hold_lock(self) -> bool:
        return await self._views.try_lock(_LOCK, self._name, _LOCK_SECONDS)

    async def _go_through(self, epoch: int) -> None:
        newest, events = await asyncio.to_thread(self._store.newest), 0
        check = ViewsCheck(self._views, self._store, grace=0.0)
        portions = portions_of(self._store)
        while portion := await asyncio.to_thread(next, portions, None):
            for chunk in chunks([render_view(checkout, epoch) for checkout in portion.checkouts]):
                await self._views.apply(chunk)
            async for wrong in check.look(portion.checkouts):
                await self._mend(wrong, epoch)
            self.result.views += len(portion.checkouts)
            self.result.broken += len(portion.broken)
            events += len(portion.events)
            self._progress("Events in the store", events, newest)
            await self._hold_lock()
        async for wrong in check.end(is_whole_store=True):
            await self._mend(wrong, epoch)

    async def _mend(self, wrong: WrongRecord, epoch: int) -> None:
        """Replace a record that could not be replaced by a newer one, because it says that it is as new."""
        if wrong.seen:
            await wrong.records.remove(wrong.checkout_id, wrong.seen)
        current = await asyncio.to_thread(self._store.current, [wrong.checkout_id])
        await self._views.apply([render_view(checkout, epoch) for checkout in current.values()])
        self.result.mended += 1
