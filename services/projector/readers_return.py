"""Brings a Redis that was distrusted up to date, and lets readers return to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from aiokafka.errors import KafkaError

from projections.redis.trust import TrustState, distrust
from projections.redis.views import RedisViews, chunks
from projections.registry import render_view
from services.event_store import EventStore

logger = logging.getLogger(__name__)

_BATCH = 500
_KAFKA_SECONDS = 2.0
_OTHER_SERVER_SECONDS = 10.0
"""How long another server stays trusted at least, so that two that both say that they are the primary do not
take the readers from each other all the time."""


async def let_readers_return(
    views: RedisViews,
    store: EventStore,
    rebuild: Callable[[], Awaitable[None]],
    hold_lock: Callable[[], Awaitable[bool]],
) -> None:
    """Make this server the trusted one. The projector with the rebuild lock calls it again and again until it
    is; `hold_lock` renews the lock.

    Raises `RedisError`, `OSError` and `StoreUnavailable`.
    """
    trust = await views.trust.latest()
    if trust.state is TrustState.TRUSTED:
        if views.is_server_of(trust):
            return
        if trust.age < _OTHER_SERVER_SECONDS:
            await asyncio.sleep(views.trust.known_within)
            return
    distrusted = await distrust(views.trust)
    await views.are_built()  # Redis answers, and its run id is known.
    run_id = views.run_id
    if not await views.trust.move(distrusted, TrustState.RETURNING, run_id):
        return
    returning = await views.trust.latest()
    if returning.state is not TrustState.RETURNING or returning.change != distrusted.change + 1:
        return
    # From then on, no reader is shown what the server has not. What was shown before is in the store by now.
    await asyncio.sleep(views.trust.known_within)
    if await views.are_built():
        await _catch_up(views, store, await views.projected() or 0, hold_lock)
    else:
        await rebuild()
    is_same = await views.are_built() and views.run_id == run_id
    if is_same and await views.trust.move(returning, TrustState.TRUSTED, run_id):
        logger.warning("Redis is up to date: readers return to it")


async def _catch_up(
    views: RedisViews, store: EventStore, position: int, hold_lock: Callable[[], Awaitable[bool]]
) -> None:
    """Write the records of all checkouts that have events after a position of the store."""
    newest = await asyncio.to_thread(store.newest)
    while position < newest:
        rows = await asyncio.to_thread(store.rows, position, _BATCH)
        position = rows[-1].position
        versions: dict[str, int] = {}
        for row in rows:
            versions[row.checkout_id] = max(row.version, versions.get(row.checkout_id, 0))
        outdated = await views.outdated(versions)
        checkouts, epoch = await asyncio.to_thread(
            store.known_lineage.within_one_epoch, lambda ids=outdated: store.current(ids)
        )
        for chunk in chunks([render_view(it, epoch) for it in checkouts.values()]):
            await views.apply(chunk)
        await views.set_projected(position)
        await hold_lock()


class Watermark:
    """Finds a position of the store up to which all events are in the records, and keeps it in Redis.

    What the relay had published when the topic's ends were read is in the records once the projector's
    positions have reached these ends. `ends` reads them, and may raise what Kafka raises.
    """

    def __init__(
        self,
        store: EventStore,
        views: RedisViews,
        ends: Callable[[], Awaitable[Mapping[str, int]]],
    ) -> None:
        self._store = store
        self._views = views
        self._ends = ends
        self._next: tuple[int, Mapping[str, int]] | None = None
        self._noted = -1

    async def note(self) -> None:
        """Raise the position, if the projector has come that far. While Kafka is down it stays."""
        if self._next is None:
            publication = await asyncio.to_thread(self._store.publication.read)
            with suppress(KafkaError, OSError):
                async with asyncio.timeout(_KAFKA_SECONDS):
                    self._next = publication.position, await self._ends()
        # Without partitions the topic is not known yet.
        if self._next is None or not self._next[1]:
            self._next = None
            return
        position, ends = self._next
        held = await self._views.positions()
        if all(held.get(partition, 0) >= end for partition, end in ends.items()):
            self._next = None
            if position != self._noted or await self._views.projected() is None:
                await self._views.set_projected(position)
                self._noted = position
