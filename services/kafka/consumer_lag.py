"""Measures how far a consumer is behind the ends of its partitions."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from aiokafka import ConsumerRecord, TopicPartition

from services.kafka.resilient_consumer import ResilientConsumer
from services.runtime.lag import Lag


class ConsumerLag:
    """Counts the records between those done and the ends of the partitions.

    The group's committed offsets would not do: the projector keeps its own positions.
    """

    def __init__(self) -> None:
        self._in_hand: Sequence[ConsumerRecord] = ()
        self._ends: Mapping[TopicPartition, int] = {}
        self._ends_seen_at = 0.0

    def set_in_hand(self, records: Sequence[ConsumerRecord]) -> None:
        """Set the records in hand; the previous ones are done."""
        self._in_hand = records

    async def measure(self, consumer: ResilientConsumer) -> Lag:
        """The lag now. Raises `KafkaError` or `TimeoutError` when Kafka does not answer."""
        ends = await consumer.end_offsets(sorted(consumer.assignment()))
        positions = self._done_up_to(consumer.known_positions())
        # A newly assigned partition has no position yet, and will have one at the next measurement.
        behind = {p: ends[p] - at for p, at in positions.items() if ends.get(p, 0) > at}
        return Lag(sum(behind.values()), self._seconds(ends, positions) if behind else 0.0)

    def _done_up_to(self, positions: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
        for record in self._in_hand:
            partition = TopicPartition(record.topic, record.partition)
            if partition in positions:
                positions[partition] = min(positions[partition], record.offset)
        return positions

    def _seconds(
        self, ends: Mapping[TopicPartition, int], positions: Mapping[TopicPartition, int]
    ) -> float:
        """The age of the oldest record in hand, or the time since an end was seen that is not
        reached yet, whichever is longer.
        """
        now = time.time()
        if all(at >= self._ends.get(partition, 0) for partition, at in positions.items()):
            self._ends, self._ends_seen_at = ends, now
        oldest = min((r.timestamp / 1000 for r in self._in_hand if r.timestamp > 0), default=now)
        return max(0.0, now - oldest, now - self._ends_seen_at)
