"""Brings each checkout's records in Redis to the latest version, whatever the writers missed."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import Sequence

from aiokafka import ConsumerRecord, TopicPartition

from domain.values import CHECKOUT_ID_PATTERN
from projections.rebuild import rebuild
from projections.redis.circuit_breaker import REDIS_FAILURES
from projections.redis.trust import distrust
from projections.redis.views import Advance, RedisViews, chunks
from projections.registry import render_view
from services.event_store import EventStore
from services.kafka.batch_consumer import BatchConsumer, Records
from services.kafka.connection import KafkaConnection
from services.kafka.topics import Topics
from services.projector.readers_return import Watermark, let_readers_return
from services.runtime.lag import LagMonitor
from services.runtime.metrics import PROJECTED, PROJECTION_LAG
from services.runtime.supervised_task import SupervisedTask
from services.runtime.tracing import span

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
_REBUILD_LOCK = "rebuild"
_REBUILD_LOCK_SECONDS = 20
"""Of a projector that was killed. A live one renews the lock as it goes."""

_SUBJECT = re.compile(CHECKOUT_ID_PATTERN.encode())
_SEQUENCE = re.compile(rb"[0-9]{1,20}")


class Projector:
    """Writes the records of checkouts that an event is newer than; any other event costs a
    comparison.

    The position of each partition is kept in Redis, with the records that it stands for. The
    offsets committed to Kafka only show the lag.
    """

    def __init__(
        self,
        store: EventStore,
        views: RedisViews,
        connection: KafkaConnection,
        topics: Topics,
        max_lag: int,
    ) -> None:
        self._store = store
        self._views = views
        self._topic = topics.events
        self._positions: dict[str, int] = {}
        self._name = uuid.uuid4().hex
        self._building = asyncio.Lock()
        self._task = SupervisedTask("rebuild", self._look_after_redis)
        self.batch_consumer = BatchConsumer(
            connection, topics.events, f"{topics.prefix}projector", self._project, self._go_back
        )
        self._watermark = Watermark(store, views, self._ends)
        waiting = "events are not projected yet"
        self.lag = LagMonitor(waiting, self.batch_consumer.lag, PROJECTION_LAG, max_lag)

    @property
    def failure(self) -> str | None:
        """What keeps the records from being complete, None if nothing does."""
        return self._task.failure

    async def start(self) -> None:
        """Rebuild the records if necessary, and follow the events."""
        await self.batch_consumer.start()
        self._task.start()
        self.lag.start()

    async def stop(self) -> None:
        """Finish what is in hand and leave the group."""
        await self.lag.stop()
        await self._task.stop()
        await self.batch_consumer.stop()

    async def _project(self, records: Records) -> None:
        # Computed before the check of Redis, which may change the positions that this batch
        # expects.
        advances = self._advances(records)
        await self._ensure_built()
        outdated = await self._views.outdated(_latest_versions(records))
        checkouts, epoch = await asyncio.to_thread(
            self._store.known_lineage.within_one_epoch, lambda: self._store.current(outdated)
        )
        *first, last = list(chunks([render_view(c, epoch) for c in checkouts.values()])) or [[]]
        with span("write views", "CLIENT", checkout__views=len(checkouts)):
            for chunk in first:
                await self._views.apply(chunk)
            is_as_expected = await self._views.apply(last, advances)
        if not is_as_expected:
            logger.warning("Redis holds other positions than expected: going back to them")
            await self._go_back(sorted(self.batch_consumer.consumer.assignment()))
            return
        self._positions |= {move.partition: move.new for move in advances}
        PROJECTED.inc(len(records))

    def _advances(self, records: Records) -> list[Advance]:
        ends = {_name(record): record.offset + 1 for record in records}
        return [Advance(name, self._positions.get(name), end) for name, end in ends.items()]

    async def _go_back(self, partitions: Sequence[TopicPartition]) -> None:
        """Consume from the positions in Redis, or from the beginning where it has none."""
        self._positions = await self._views.positions()
        for partition in partitions:
            position = self._positions.get(_partition_name(*partition))
            if position is None:
                await self.batch_consumer.consumer.seek_to_beginning(partition)
            else:
                self.batch_consumer.consumer.seek(partition, position)

    async def _look_after_redis(self) -> None:
        try:
            await self._ensure_built()
        except REDIS_FAILURES:
            # Nobody may read what can't be brought up to date, also if nobody happens to read now.
            await distrust(self._views.trust)
            raise
        await self._mend()
        await self._watermark.note()
        await asyncio.sleep(_LOOK_SECONDS)

    async def _mend(self) -> None:
        """Write the records again that the list lacked: no event will come that brings them back."""
        if lost := await self._views.lost():
            checkouts, epoch = await asyncio.to_thread(
                self._store.known_lineage.within_one_epoch, lambda: self._store.current(lost)
            )
            for chunk in chunks([render_view(c, epoch) for c in checkouts.values()]):
                await self._views.apply(chunk)
            await self._views.mended(lost)
            logger.warning("%d checkouts lacked a view, which was written again", len(lost))

    async def _ensure_built(self) -> None:
        """Return when the records are complete and trusted, after repairing them if nobody else does."""
        async with self._building:
            while not (await self._views.are_built() and await self._views.is_trusted()):
                if await self._hold_rebuild_lock():
                    await self._repair()
                else:
                    await asyncio.sleep(_LOOK_SECONDS)

    async def _hold_rebuild_lock(self) -> bool:
        return await self._views.try_lock(_REBUILD_LOCK, self._name, _REBUILD_LOCK_SECONDS)

    async def _repair(self) -> None:
        """Rebuild the records, or let readers return to them, unless somebody has just done so."""
        try:
            if await self._views.is_trusted():
                await self._rebuild()
            else:
                await let_readers_return(
                    self._views, self._store, self._rebuild, self._hold_rebuild_lock
                )
        finally:
            await self._views.unlock(_REBUILD_LOCK, self._name)

    async def _rebuild(self) -> None:
        if not await self._views.are_built():
            logger.warning("the views are missing or of another Redis: building them")
            newest = await asyncio.to_thread(self._store.newest)
            count = await rebuild(self._views, self._store, await self._ends(), self._renew)
            if count is not None:
                await self._views.set_projected(newest)
            logger.warning("%s views were built", "no" if count is None else count)

    async def _renew(self, count: int) -> None:
        logger.info("%d views are built so far", count)
        await self._hold_rebuild_lock()

    async def _ends(self) -> dict[str, int]:
        """The ends of all partitions now: everything before them is in the store already."""
        consumer = self.batch_consumer.consumer
        numbers = consumer.partitions_for_topic(self._topic) or set()
        ends = await consumer.end_offsets([TopicPartition(self._topic, n) for n in numbers])
        return {_partition_name(*partition): end for partition, end in ends.items()}


def _latest_versions(records: Records) -> dict[str, int]:
    """The newest version of each checkout in these records."""
    versions: dict[str, int] = {}
    for record in records:
        subject, sequence = _identity(record)
        if subject is None:
            logger.warning(
                "%s partition %d offset %d is no event of ours, and is passed over",
                record.topic,
                record.partition,
                record.offset,
            )
        else:
            versions[subject] = max(sequence, versions.get(subject, 0))
    return versions


def _identity(record: ConsumerRecord) -> tuple[str | None, int]:
    headers = dict(record.headers)
    subject, sequence = headers.get("ce_subject") or b"", headers.get("ce_sequence") or b""
    if not _SUBJECT.fullmatch(subject) or not _SEQUENCE.fullmatch(sequence):
        return None, 0
    return subject.decode(), int(sequence)


def _name(record: ConsumerRecord) -> str:
    return _partition_name(record.topic, record.partition)


def _partition_name(topic: str, partition: int) -> str:
    return f"{topic}/{partition}"
