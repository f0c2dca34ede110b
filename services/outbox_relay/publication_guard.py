"""Stops the relay while the store or the topic is not the one that it published from or to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence

from aiokafka.partitioner import DefaultPartitioner

from services.event_store import EventStore
from services.event_store.publication import Publication, RelayState
from services.kafka.connection import KafkaConnection
from services.kafka.publisher import KafkaUnavailable, Publisher
from services.kafka.topic_ends import TopicEnds
from services.outbox_relay.preconditions import position_problem, topic_problem
from services.outbox_relay.topic_tail import TopicTail

logger = logging.getLogger(__name__)


class PublicationGuard:
    """`failure` names the problem for as long as nothing may be published; each relay finds it, also one
    that stands by.
    """

    def __init__(
        self, store: EventStore, connection: KafkaConnection, publisher: Publisher, topic: str
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._topic = topic
        self._ends = TopicEnds(connection)
        self._tail = TopicTail(store, connection, topic)
        self._numbers: list[int] = []
        self.ends: dict[int, int] = {}
        """The ends of all partitions when they were last read."""
        self._of_position: str | None = None
        self._of_topic: str | None = None

    @property
    def failure(self) -> str | None:
        """Why nothing is published, and the way out; None if nothing is wrong."""
        return self._of_position or self._of_topic

    async def stop(self) -> None:
        """Close the connection to Kafka."""
        await self._ends.stop()

    async def check(self) -> RelayState:
        """Check store and topic, for readiness. Returns the state of the store that was checked.

        Raises `StoreUnavailable` and `KafkaUnavailable`.
        """
        state = await asyncio.to_thread(self._store.publication.state)
        publication = state.publication
        self._check_position(state)
        self._numbers = sorted((await self._publisher.topics()).get(self._topic, ()))
        try:
            await self._check_topic(publication, self._numbers)
        except KafkaUnavailable as error:
            # A partition has no leader: what was known of the topic still holds.
            logger.info("the ends of %s can't be read: %s", self._topic, error)
        return state

    async def allows(self, state: RelayState, keys: Sequence[bytes]) -> bool:
        """Whether events of these keys may be published now. Only the active relay calls it, with the state
        that it has just read, and only while it publishes nothing.

        Only their partitions are checked, so that one without a leader holds up its own events only.
        Raises `StoreUnavailable` and `KafkaUnavailable`.
        """
        publication = state.publication
        self._check_position(state)
        if self.failure:
            return False
        try:
            ends = await self._check_topic(publication, await self._wanted(publication, keys))
        except KafkaUnavailable:
            if keys:
                raise
            return True
        if not self.failure and (lost := await self._tail.problem(publication, ends)):
            await asyncio.to_thread(self._store.write_guard.stop, lost)
            self._check_position(await asyncio.to_thread(self._store.publication.state))
        return not self.failure

    async def _wanted(self, publication: Publication, keys: Sequence[bytes]) -> Collection[int]:
        """The partitions to check: those of the keys; all if there is no key or the topic is a new one."""
        if keys and self._numbers and publication.topic == self._topic:
            return {self._partition_of(key) for key in keys}
        self._numbers = sorted((await self._publisher.topics()).get(self._topic, ()))
        return self._numbers

    async def _check_topic(
        self, publication: Publication, numbers: Collection[int]
    ) -> dict[int, int]:
        ends = await self._ends.read(self._topic, numbers)
        unchecked = {n: end for n, end in publication.ends.items() if n in self._numbers}
        problem = topic_problem(publication, self._topic, {**unchecked, **ends})
        _log_change(self._of_topic, problem)
        self._of_topic = problem
        if len(numbers) == len(self._numbers):
            self.ends = ends
        return ends

    def _partition_of(self, key: bytes) -> int:
        return int(DefaultPartitioner()(key, self._numbers, self._numbers))

    def _check_position(self, state: RelayState) -> None:
        problem = position_problem(state)
        _log_change(self._of_position, problem)
        self._of_position = problem


def _log_change(before: str | None, now: str | None) -> None:
    if now and now != before:
        logger.error("publishing stopped: %s", now)
    elif before and not now:
        logger.warning("publishing goes on")
