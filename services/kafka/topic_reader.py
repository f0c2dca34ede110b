"""Reads a topic from its beginning to the end that it had at the start, without a group."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.kafka.connection import KafkaConnection
from services.kafka.publisher import KafkaUnavailable, Publisher
from services.kafka.resilient_consumer import ResilientConsumer

_MAX_RECORDS = 100
_FETCH_BYTES = 256 * 1024
"""Bytes fetched per partition at once, which bounds memory; a larger record comes alone."""

_POLL_SECONDS = 1.0
_TIMEOUT_SECONDS = 15.0


async def records_of(
    connection: KafkaConnection, topic: str, starts: Mapping[int, int] | None = None
) -> AsyncGenerator[ConsumerRecord, None]:
    """Each existing record, partition by partition; with `starts` only those of these partitions, from
    these offsets on. Raises `KafkaUnavailable`.
    """
    partitions = await _partitions(connection, topic)
    if starts is not None:
        partitions = [partition for partition in partitions if partition.partition in starts]
    async with _reading(connection) as consumer:
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            # One partition at a time, or the records fetched of the others would have to be kept.
            consumer.assign([partition])
            if starts is None:
                await consumer.seek_to_beginning(partition)
            else:
                consumer.seek(partition, starts[partition.partition])
            async with aclosing(_until(consumer, partition, ends[partition])) as records:
                async for record in records:
                    yield record


async def bounds_of(connection: KafkaConnection, topic: str) -> dict[int, tuple[int, int]]:
    """The earliest offset and the end of each partition. Raises `KafkaUnavailable`."""
    partitions = await _partitions(connection, topic)
    async with _reading(connection) as consumer:
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    return {part.partition: (begins[part], ends[part]) for part in partitions}


async def record_at(
    connection: KafkaConnection, topic: str, number: int, offset: int
) -> ConsumerRecord | None:
    """One record, None if it does not exist (any more). Raises `KafkaUnavailable`."""
    partition = TopicPartition(topic, number)
    if partition not in await _partitions(connection, topic):
        return None
    async with _reading(connection) as consumer:
        begin = (await consumer.beginning_offsets([partition]))[partition]
        end = (await consumer.end_offsets([partition]))[partition]
        if not begin <= offset < end:
            return None
        consumer.assign([partition])
        consumer.seek(partition, offset)
        async with aclosing(_until(consumer, partition, end)) as records:
            async for record in records:
                return record if record.offset == offset else None
    return None


async def _until(
    consumer: ResilientConsumer, partition: TopicPartition, end: int
) -> AsyncGenerator[ConsumerRecord, None]:
    loop = asyncio.get_running_loop()
    position, moved_at = -1, loop.time()
    while True:
        found: dict[TopicPartition, list[ConsumerRecord]] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_SECONDS):
                # The last offsets before the end may hold no record that can be returned.
                if (await consumer.position(partition)) >= end:
                    return
                found = await consumer.getmany(partition, timeout_ms=200, max_records=_MAX_RECORDS)
        for record in found.get(partition, ()):
            if record.offset >= end:
                return
            position, moved_at = record.offset, loop.time()
            yield record
            moved_at = loop.time()
        if loop.time() - moved_at > _TIMEOUT_SECONDS:
            raise KafkaUnavailable(
                f"no record of {partition.topic} partition {partition.partition} after offset "
                f"{position} within {_TIMEOUT_SECONDS:.0f} s"
            )


async def _partitions(connection: KafkaConnection, topic: str) -> list[TopicPartition]:
    publisher = Publisher(connection)
    try:
        numbers = (await publisher.topics()).get(topic)
    finally:
        await publisher.stop()
    if not numbers:
        raise KafkaUnavailable(f"there is no topic {topic}; `checkout topics` makes it")
    return [TopicPartition(topic, number) for number in sorted(numbers)]


@asynccontextmanager
async def _reading(connection: KafkaConnection) -> AsyncIterator[ResilientConsumer]:
    """A consumer without a group, for the caller to assign partitions to."""
    consumer = ResilientConsumer(
        **connection,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    try:
        await consumer.start()
        yield consumer
    except (KafkaError, OSError) as error:
        raise KafkaUnavailable(f"{type(error).__name__}: {error}") from error
    finally:
        await consumer.stop()
