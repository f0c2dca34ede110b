"""Lets writes go on after a failover of PostgreSQL that lost nothing."""

from __future__ import annotations

import asyncio

from services.event_store import EventStore
from services.event_store.server_watch import LOOK_SECONDS, ServerWatch
from services.kafka.connection import KafkaConnection
from services.kafka.publisher import KafkaUnavailable, Publisher
from services.kafka.topic_ends import TopicEnds
from services.outbox_relay.topic_tail import TopicTail
from services.runtime.supervised_task import SupervisedTask

_KAFKA_SECONDS = 3.0
"""How long Kafka is waited for: writes go on within 10 s of the new primary, also while Kafka is down."""


class FailoverComparison:
    """Compares a new server with Kafka, once no process has objected to it (`ServerWatch`).

    If Kafka does not answer, it is enough that this process has seen the store before the failover: it knew
    the newest position, and has not objected.
    """

    def __init__(
        self, store: EventStore, connection: KafkaConnection, publisher: Publisher, topic: str
    ) -> None:
        self._store = store
        self._connection = connection
        self._publisher = publisher
        self._topic = topic
        self._ends = TopicEnds(connection)
        self._task = SupervisedTask("failover", self._run_once)

    def start(self) -> None:
        """Begin to look for a server that is being compared."""
        self._task.start()

    async def stop(self) -> None:
        """Stop looking."""
        await self._task.stop()
        await self._ends.stop()

    async def _run_once(self) -> None:
        await asyncio.sleep(LOOK_SECONDS)
        watch = self._store.server_watch
        if watch is not None and watch.is_due():
            await self._compare(watch)

    async def _compare(self, watch: ServerWatch) -> None:
        try:
            async with asyncio.timeout(_KAFKA_SECONDS):
                lost = await self._lost_events()
        except (KafkaUnavailable, TimeoutError):
            if not watch.is_witness:
                return
            lost = None
        if lost:
            await asyncio.to_thread(watch.object, lost)
        else:
            await asyncio.to_thread(watch.accept)

    async def _lost_events(self) -> str | None:
        numbers = (await self._publisher.topics()).get(self._topic, ())
        ends = await self._ends.read(self._topic, numbers)
        publication = await asyncio.to_thread(self._store.publication.read)
        # A new one each time: what another has found in the store was there before the failover.
        tail = TopicTail(self._store, self._connection, self._topic)
        return await tail.problem(publication, ends)
