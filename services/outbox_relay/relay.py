"""Publishes recorded events. The position moves after the broker's acknowledgements."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from aiokafka import TopicPartition

from services.event_store import EventStore
from services.event_store.commit_notifier import CommitNotifier
from services.event_store.positions import RELAY
from services.event_store.publication import Publication, PublishedEvent
from services.event_store.stored_row import StoredRow
from services.kafka.connection import KafkaConnection
from services.kafka.publisher import Publisher
from services.kafka.topics import Topics
from services.messages.event_messages import event_message
from services.outbox_relay.publication_guard import PublicationGuard
from services.runtime.lag import Lag, LagMonitor
from services.runtime.metrics import RELAY_LAG, RELAY_POSITION, RELAYED
from services.runtime.supervised_task import SupervisedTask

logger = logging.getLogger(__name__)

_BATCH = 500
_POLL_SECONDS = 0.5
"""Seconds after which the store is polled, in case a commit notification is lost."""
_STANDBY_SECONDS = 1.0
_PURGE_SECONDS = 600.0


class OutboxRelay:
    """One relay is active; the others stand by until its lock is free. `guard` reports why it must not
    publish, if it must not.

    The active relay also purges expired outcomes of commands.
    """

    def __init__(
        self, store: EventStore, connection: KafkaConnection, topics: Topics, max_lag: int
    ) -> None:
        self._store = store
        self._topics = topics
        self._publisher = Publisher(connection)
        self._commits = CommitNotifier(store)
        self._holds_lock: Callable[[], bool] | None = None
        self.guard = PublicationGuard(store, connection, self._publisher, topics.events)
        self._task = SupervisedTask("relay", self._run_once)
        self._purge = SupervisedTask("purge", self._purge_once)
        self.lag = LagMonitor("events are not published yet", self._measure, RELAY_LAG, max_lag)

    @property
    def failure(self) -> str | None:
        """What keeps events from being published, None if nothing does."""
        return self._task.failure

    @property
    def is_active(self) -> bool:
        """Whether this relay publishes."""
        return self._holds_lock is not None

    async def start(self) -> None:
        """Publish, or stand by."""
        self._commits.start()
        self._task.start()
        self._purge.start()
        self.lag.start()

    async def stop(self) -> None:
        """Stop at once: the next relay publishes what was not acknowledged."""
        self._commits.stop()
        await self.lag.stop()
        await self._task.stop()
        await self._purge.stop()
        await self._publisher.stop()
        await self.guard.stop()

    async def _run_once(self) -> None:
        if self._holds_lock is None or not await asyncio.to_thread(self._holds_lock):
            await self._take_over()
            return
        self._commits.clear()
        # Read each time: `checkout events republish` and `checkout store restored` change it.
        before = await asyncio.to_thread(self._store.publication.read)
        batch = await asyncio.to_thread(self._store.rows, before.position, _BATCH)
        messages = [event_message(self._topics.events, row) for row in batch]
        if not await self.guard.allows(before, [m.key for m in messages if m.key]) or not batch:
            await self._commits.wait(_POLL_SECONDS)
            return
        # Before the batch is sent: the check for readiness may read the ends again meanwhile.
        known = before.ends if before.topic == self._topics.events else self.guard.ends
        ends = await self._publisher.publish(messages)
        after = self._published(known, batch[-1], ends)
        if after is None or not await asyncio.to_thread(
            self._store.publication.advance, before, after
        ):
            logger.warning("the position or the topic was changed meanwhile: looking again")
            return
        RELAYED.inc(len(batch))
        RELAY_POSITION.set(after.position)

    def _published(
        self, known: Mapping[int, int], last: StoredRow, ends: Mapping[TopicPartition, int]
    ) -> Publication | None:
        """The publication after a batch, of a topic whose ends were `known` before it; None if the topic was
        made anew while it was sent.
        """
        reached = {partition.partition: end for partition, end in ends.items()}
        if any(end <= known.get(number, 0) for number, end in reached.items()):
            return None
        event = PublishedEvent(last.position, last.checkout_id, last.version)
        return Publication(last.position, event, self._topics.events, {**known, **reached})

    async def _take_over(self) -> None:
        self._holds_lock = await asyncio.to_thread(self._store.try_lock, RELAY)
        if self._holds_lock is None:
            await asyncio.sleep(_STANDBY_SECONDS)
            return
        publication = await asyncio.to_thread(self._store.publication.read)
        logger.info("publishing events after position %d", publication.position)

    async def _measure(self) -> Lag:
        """The events recorded and not yet published, by any relay."""
        # An idle or standby relay would not notice otherwise that Kafka is down.
        await self.guard.check()
        return await asyncio.to_thread(self._unpublished)

    def _unpublished(self) -> Lag:
        position = self._store.position(RELAY)
        oldest = self._store.rows(position, 1)
        if not oldest:
            return Lag(0, 0.0)
        seconds = time.time() - oldest[0].content().at.timestamp()
        # Position numbers of rolled-back transactions are counted too, which is close enough.
        return Lag(self._store.newest() - position, max(0.0, seconds))

    async def _purge_once(self) -> None:
        """Purge expired outcomes, a limited number at a time, while this relay is active."""
        purged = 0
        if self.is_active:
            purged = await asyncio.to_thread(self._store.purge_outcomes, time.time())
            logger.info("purged %d expired outcomes of commands", purged)
        if not purged:
            await asyncio.sleep(_PURGE_SECONDS)
