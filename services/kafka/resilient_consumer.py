"""An aiokafka consumer that waits for records, and decodes those that aiokafka can't."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.protocol.fetch import FetchRequest

from services.kafka.lenient_decoding import UndecodableRecord, records_in
from services.kafka.metadata_pause import pause_between_metadata_updates

__all__ = ["ResilientConsumer", "UndecodableRecord"]

_POLL_SECONDS = 0.05

_Records = dict[TopicPartition, list[ConsumerRecord]]


class ResilientConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """An aiokafka consumer that survives a header name which is not UTF-8.

    Only `getmany` is replaced. aiokafka decodes header names as it hands records out. A name that is not
    UTF-8 makes `getmany` raise, after it has moved the positions past the good records that it was about
    to return, and it raises again at each call. Here the positions are restored, and the affected batch is
    fetched again and decoded leniently. `failure` is the last error of `getmany`, None after a success.
    """

    failure: str | None = None

    def __init__(self, *topics: str, **settings: Any) -> None:
        super().__init__(*topics, **settings)
        pause_between_metadata_updates(self._client)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> _Records:
        """Wait until there are records, and return them."""
        records: _Records = {}
        while not records:
            positions = self.known_positions(*partitions)
            if not positions:
                await asyncio.sleep(_POLL_SECONDS)
                continue
            try:
                # Only partitions with a known position: the others could not be restored.
                records = await super().getmany(
                    *positions, timeout_ms=timeout_ms, max_records=max_records
                )
            except UnicodeDecodeError:
                self._restore(positions)
                records = await self._decode_leniently(positions, max_records)
                if not records:
                    await asyncio.sleep(_POLL_SECONDS)
            except Exception as error:
                self._restore(positions)
                self.failure = type(error).__name__
                raise
            self.failure = None
        return records

    def known_positions(self, *wanted: TopicPartition) -> dict[TopicPartition, int]:
        """The positions known so far. Waiting for the others could miss a rebalance."""
        positions = {}
        for partition in self.assignment():
            state = self._subscription.subscription.assignment.state_value(partition)
            if state.has_valid_position and (partition in wanted or not wanted):
                positions[partition] = state.position
        return positions

    def _restore(self, positions: dict[TopicPartition, int]) -> None:
        """Return to the positions before the call; fetched records are dropped."""
        for partition in self.assignment() & positions.keys():
            self.seek(partition, positions[partition])

    async def _decode_leniently(
        self, positions: dict[TopicPartition, int], max_records: int | None
    ) -> _Records:
        """The next records of each partition, decoded leniently."""
        share = max_records and max(1, max_records // len(positions))
        found: _Records = {}
        for partition, position in positions.items():
            data = await self._fetch(partition, position)
            records, end = records_in(data, partition, position, share)
            if end > position and partition in self.assignment():
                self.seek(partition, end)
                found[partition] = records
        return {partition: records for partition, records in found.items() if records}

    async def _fetch(self, partition: TopicPartition, position: int) -> bytes:
        """The record batches of a partition from a position on; empty if the broker reports an
        error, which the parent's own fetching then handles.
        """
        leader = self._client.cluster.leader_for_partition(partition)
        if leader is None or leader < 0:
            return b""
        size = self._max_partition_fetch_bytes
        wanted = [(partition.topic, [(partition.partition, position, size)])]
        response = await self._client.send(leader, FetchRequest(0, 0, size, 0, wanted))
        (_, error_code, *_rest, data) = response.topics[0][1][0]
        return b"" if error_code or not data else bytes(data)
