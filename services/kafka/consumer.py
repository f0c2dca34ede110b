"""An aiokafka consumer that waits for records, and steps over one it can't decode."""

from __future__ import annotations

import struct
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import _DefaultRecordBatchPy

_BATCH_HEAD = struct.Struct(">qi")
"""Base offset and length: what each record batch begins with (Kafka protocol, message format v2)."""

_FETCH_WAIT_MS = 500


class UndecodableRecord(ConsumerRecord[Any, Any]):  # type: ignore[misc]
    """A record with a header whose name is not UTF-8; the bad bytes are shown as `\\xff`."""


class PatientConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """Differs from its parent in `getmany` alone.

    aiokafka decodes header names as it fetches: one that isn't UTF-8 makes `getmany` raise for ever,
    and the position does not move.
    """

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Wait until there are records, then return them."""
        records: dict[TopicPartition, list[ConsumerRecord]] = {}
        while not records:
            try:
                records = await super().getmany(
                    *partitions, timeout_ms=timeout_ms, max_records=max_records
                )
            except UnicodeDecodeError:
                records = await self._one_record()
        return records

    async def _one_record(self) -> dict[TopicPartition, list[ConsumerRecord]]:
        """The next record of some partition, by a decoder that bears anything if need be."""
        for partition in sorted(self.assignment()):
            try:
                records = await super().getmany(partition, timeout_ms=0, max_records=1)
            except UnicodeDecodeError:
                record = await self._fetch_undecodable(partition, await self.position(partition))
                self.seek(partition, record.offset + 1)
                records = {partition: [record]}
            if records:
                return dict(records)
        return {}

    async def _fetch_undecodable(self, partition: TopicPartition, offset: int) -> UndecodableRecord:
        leader = self._client.cluster.leader_for_partition(partition)
        size = self._max_partition_fetch_bytes
        wanted = [(partition.topic, [(partition.partition, offset, size)])]
        response = await self._client.send(leader, FetchRequest(_FETCH_WAIT_MS, 1, size, 0, wanted))
        data = response.topics[0][1][0][-1]
        for record in _records_in(data):
            if record.offset >= offset:
                return UndecodableRecord(
                    topic=partition.topic,
                    partition=partition.partition,
                    offset=record.offset,
                    timestamp=record.timestamp,
                    timestamp_type=record.timestamp_type,
                    key=record.key,
                    value=record.value,
                    checksum=None,
                    serialized_key_size=len(record.key or b""),
                    serialized_value_size=len(record.value or b""),
                    headers=tuple(record.headers),
                )
        raise ConnectionError(f"{partition}: nothing at offset {offset}")


class _LenientBuffer(bytearray):
    """Bytes whose slices decode whatever they hold."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _LenientBuffer(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


def _records_in(data: bytes) -> Any:
    start = 0
    while start + _BATCH_HEAD.size <= len(data):
        _, length = _BATCH_HEAD.unpack_from(data, start)
        end = start + _BATCH_HEAD.size + length
        if end > len(data):
            return
        batch = _DefaultRecordBatchPy(bytearray(data[start:end]))
        batch._maybe_uncompress()  # noqa: SLF001 - no public way leads past the names
        batch._buffer = _LenientBuffer(batch._buffer)  # noqa: SLF001
        yield from batch
        start = end
