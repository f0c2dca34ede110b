"""Decodes Kafka's record batches whatever bytes the names of headers have.

The protocol says that header names are UTF-8, but brokers accept any bytes, and aiokafka's decoder then
raises for the whole fetch. This module uses aiokafka's own pure-Python batch reader (offsets, compression,
control batches) and replaces only the decoding of names, with a buffer that never raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

_MAGIC_AT = 16
_MAGIC_WITH_HEADERS = 2


class UndecodableRecord(ConsumerRecord[Any, Any]):  # type: ignore[misc]
    """A record with a header whose name is not UTF-8; the bad bytes are shown as `\\xff`."""


def records_in(
    data: bytes, partition: TopicPartition, position: int, limit: int | None
) -> tuple[list[ConsumerRecord], int]:
    """The records from a position on, at most `limit`, and the position after them."""
    found: list[ConsumerRecord] = []
    for batch in _batches(data):
        if not batch.is_control_batch:
            for record in batch:
                if record.offset >= position:
                    found.append(_consumer_record(record, partition))
                    position = record.offset + 1
                    if len(found) == limit:
                        return found, position
        # A batch may end with offsets whose records were removed.
        position = max(position, batch.next_offset)
    return found, position


class _LenientBuffer(bytearray):
    """A buffer whose slices always decode; an invalid byte becomes a lone surrogate."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _LenientBuffer(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "surrogateescape") -> str:
        return super().decode(encoding, errors)


class _Slices(_MemoryRecordsPy):  # type: ignore[misc]
    """Splits fetched bytes into batches, without the last one if it is cut off."""

    def next_slice(self) -> bytes:
        found = bytes(self._next_slice)
        self._cache_next()
        return found


def _batches(data: bytes) -> Iterator[Any]:
    slices = _Slices(data)
    while slices.has_next():
        piece = slices.next_slice()
        if piece[_MAGIC_AT] < _MAGIC_WITH_HEADERS:
            yield _MemoryRecordsPy(piece).next_batch()
            continue
        batch = _DefaultRecordBatchPy(piece)
        batch._maybe_uncompress()  # noqa: SLF001 - no public method skips the names
        batch._buffer = _LenientBuffer(batch._buffer)  # noqa: SLF001
        yield batch


def _consumer_record(record: Any, partition: TopicPartition) -> ConsumerRecord:
    names = [name for name, _ in record.headers]
    is_bad = any("\udc80" <= character <= "\udcff" for name in names for character in name)
    kind = UndecodableRecord if is_bad else ConsumerRecord
    return kind(
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
        headers=tuple((_readable(name), value) for name, value in record.headers),
    )


def _readable(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
