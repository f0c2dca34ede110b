"""Publishes recorded events. The position moves after the broker's acknowledgements."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from services.event_store import EventStore
from services.event_store.commit_notifier import CommitNotifier
from services.event_store.event_mapper import UnreadableEvent
from services.event_store.positions import RELAY
from services.event_store.publication import Publication, RelayState
from services.event_store.recorder import Statement
from services.event_store.set_aside import SetAside
from services.kafka.connection import KafkaConnection
from services.kafka.producer_record import ProducerRecord
from services.kafka.publisher import Publisher
from services.kafka.topics import Topics
from services.outbox_relay.batch import Batch, Resumption
from services.outbox_relay.failover import FailoverComparison
from services.outbox_relay.publication_guard import PublicationGuard
from services.runtime.lag import Lag, LagMonitor
from services.runtime.metrics import RELAY_LAG, RELAY_POSITION, RELAYED, SET_ASIDE
from services.runtime.supervised_task import SupervisedTask

logger = logging.getLogger(__name__)

_BATCH = 500
_POLL_SECONDS = 0.5
"""Seconds after which the store is polled, in case a commit notification is lost."""
_STANDBY_SECONDS = 1.0
_RETRY_SECONDS = 5.0
"""Between two attempts to read what was set aside."""
_PURGE_SECONDS = 600.0


class OutboxRelay:
    """One relay is active; the others stand by until its lock is free. A stream with a row that can't be read
    is set aside, and taken up again once it can be read; other streams go on. `guard` reports why it must not
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
        self._next_retry = 0.0
        self._failover = FailoverComparison(store, connection, self._publisher, topics.events)
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
        self._failover.start()
        self.lag.start()

    async def stop(self) -> None:
        """Stop at once: the next relay publishes what was not acknowledged."""
        self._commits.stop()
        await self.lag.stop()
        await self._task.stop()
        await self._purge.stop()
        await self._failover.stop()
        await self._publisher.stop()
        await self.guard.stop()

    async def _run_once(self) -> None:
        if self._holds_lock is None or not await asyncio.to_thread(self._holds_lock):
            await self._take_over()
            return
        self._commits.clear()
        # Read each time: `checkout events republish` and `checkout store restored` change it.
        state = await asyncio.to_thread(self._store.publication.state)
        before = state.publication
        aside = (
            await asyncio.to_thread(self._store.set_aside.by_checkout) if state.set_aside else {}
        )
        if await self._resumed(state, aside.values()):
            return
        rows = await asyncio.to_thread(self._store.rows, before.position, _BATCH)
        batch = Batch.of(self._topics.events, rows, aside)
        if not await self._may_publish(state, batch.messages) or not rows:
            await self._commits.wait(_POLL_SECONDS)
            return
        after = replace(before, position=rows[-1].position, last=batch.last)
        new = [stream.put() for stream in batch.set_aside]
        if await self._publish(before, after, batch.messages, new):
            RELAY_POSITION.set(after.position)
            for stream in batch.set_aside:
                logger.error(
                    "position %d is not published, nor are later events of its checkout: %s. Restore "
                    "the row; `checkout events set-aside` lists such checkouts",
                    stream.position,
                    stream.reason,
                )

    async def _resumed(self, state: RelayState, aside: Iterable[SetAside]) -> bool:
        """Publish some of what has become readable of a stream that was set aside; False if there is none."""
        if time.monotonic() < self._next_retry:
            return False
        before = state.publication
        # First of all, so that what fails here does not keep other streams waiting.
        self._next_retry = time.monotonic() + _RETRY_SECONDS
        for stream in aside:
            found = await asyncio.to_thread(
                Resumption.of, self._store, self._topics.events, stream, before.position, _BATCH
            )
            if found is None or not await self._may_publish(state, found.messages):
                continue
            if await self._publish(before, before, found.messages, [found.statement]):
                logger.warning(
                    "%s: published %d events from version %d on, which was set aside%s",
                    stream.checkout_id,
                    len(found.messages),
                    stream.version,
                    "" if found.is_complete else "; others still are",
                )
            self._next_retry = 0.0
            return True
        return False

    async def _may_publish(self, state: RelayState, messages: Sequence[ProducerRecord]) -> bool:
        return await self.guard.allows(state, [m.key for m in messages if m.key])

    async def _publish(
        self,
        before: Publication,
        after: Publication,
        messages: Sequence[ProducerRecord],
        more: Sequence[Statement],
    ) -> bool:
        """Send messages, and then record in one transaction the position of `after` and `more`. False if the
        position or the topic was changed meanwhile: then nothing is recorded.
        """
        # Before the batch is sent: the check for readiness may read the ends again meanwhile.
        known = before.ends if before.topic == self._topics.events else self.guard.ends
        ends = await self._publisher.publish(messages)
        reached = {partition.partition: end for partition, end in ends.items()}
        after = replace(after, topic=self._topics.events, ends={**known, **reached})
        is_same_topic = all(end > known.get(number, 0) for number, end in reached.items())
        if not is_same_topic or not await asyncio.to_thread(
            self._store.publication.advance, before, after, more
        ):
            logger.warning("the position or the topic was changed meanwhile: looking again")
            return False
        RELAYED.inc(len(messages))
        return True

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
        state = await self.guard.check()
        SET_ASIDE.set(state.set_aside)
        return await asyncio.to_thread(self._unpublished)

    def _unpublished(self) -> Lag:
        position = self._store.position(RELAY)
        oldest = self._store.rows(position, 1)
        if not oldest:
            return Lag(0, 0.0)
        seconds = 0.0
        with suppress(UnreadableEvent):  # about to be set aside
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
