"""The end offsets of a topic, read again and again over the same connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.kafka.connection import KafkaConnection
from services.kafka.publisher import KafkaUnavailable
from services.kafka.resilient_consumer import ResilientConsumer

_STOP_SECONDS = 1.0


class TopicEnds:
    """Reads end offsets with a consumer that joins no group. It is replaced after any failure."""

    def __init__(self, connection: KafkaConnection, bound: float = 5.0) -> None:
        self._connection = connection
        self._bound = bound
        self._consumer: ResilientConsumer | None = None
        self._starting = asyncio.Lock()

    async def read(self, topic: str, numbers: Iterable[int]) -> dict[int, int]:
        """The end of each of these partitions. Raises `KafkaUnavailable`, also if one has no leader."""
        partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
        try:
            async with asyncio.timeout(self._bound):
                consumer = await self._started()
                ends = await consumer.end_offsets(partitions)
        except (KafkaError, OSError, TimeoutError) as error:
            await self.stop()
            raise KafkaUnavailable(f"{type(error).__name__}: {error}") from error
        return {partition.partition: end for partition, end in ends.items()}

    async def stop(self) -> None:
        """Close the connection, within a second."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await consumer.stop()

    async def _started(self) -> ResilientConsumer:
        async with self._starting:
            if self._consumer is None:
                consumer = ResilientConsumer(**self._connection, enable_auto_commit=False)
                try:
                    await consumer.start()
                except BaseException:
                    await consumer.stop()
                    raise
                self._consumer = consumer
            return self._consumer
