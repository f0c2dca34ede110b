"""Publishes to Kafka: acknowledged by all in-sync replicas, or an error."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from services.kafka.connection import KafkaConnection
from services.kafka.metadata_pause import pause_between_metadata_updates
from services.kafka.producer_record import ProducerRecord
from services.runtime.tracing import batch_span, traceparent_in

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 1_000_000
"""Below the default limit of 1 MiB of brokers and clients, with room for the framing of a record."""


_STOP_SECONDS = 1.0
_FAILURES = (KafkaError, OSError, TimeoutError)


class KafkaUnavailable(Exception):
    """Kafka did not acknowledge in time. The messages may have arrived or not.

    `failed` are the topics that did not acknowledge all of their messages, as far as that is known, each
    with what it failed with.
    """

    def __init__(self, reason: str, failed: Mapping[str, Exception] | None = None) -> None:
        super().__init__(reason)
        self.failed = failed or {}


class Publisher:
    """An idempotent producer that is replaced after any failure.

    A producer whose batch failed has used sequence numbers that the broker never saw, and every
    later send of it would fail.
    """

    def __init__(self, connection: KafkaConnection, bound: float = 15.0) -> None:
        self._connection = connection
        self._bound = bound
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def publish(self, messages: Sequence[ProducerRecord]) -> dict[TopicPartition, int]:
        """Send all, in order within each topic and key, and return when all are acknowledged.

        Returns the offset after the last of them in each partition, as far as the broker reported it.
        Raises `KafkaUnavailable`; then send all of them again.
        """
        if not messages:
            return {}
        traces = (traceparent_in(message.headers) for message in messages)
        name, count = f"publish {messages[0].topic}", len(messages)
        try:
            with batch_span(name, "PRODUCER", traces, messaging__batch__message_count=count):
                return await self._send(messages)
        except _FAILURES as error:
            await self._abandon()
            raise KafkaUnavailable(f"{type(error).__name__}: {error}") from error
        except KafkaUnavailable:
            await self._abandon()
            raise

    async def _send(self, messages: Sequence[ProducerRecord]) -> dict[TopicPartition, int]:
        """Send to each topic independently, so that one that takes no writes is known by its name."""
        by_topic: dict[str, list[ProducerRecord]] = {}
        for message in messages:
            by_topic.setdefault(message.topic, []).append(message)
        deadline = asyncio.get_running_loop().time() + self._bound
        async with asyncio.timeout_at(deadline):
            producer = await self._started()
        ends: dict[TopicPartition, int] = {}
        sent = (_send_to_topic(producer, its, deadline, ends) for its in by_topic.values())
        errors = dict(zip(by_topic, await asyncio.gather(*sent), strict=True))
        failed = {topic: error for topic, error in errors.items() if error}
        if failed:
            reasons = ", ".join(f"{topic}: {error!r}" for topic, error in failed.items())
            raise KafkaUnavailable(reasons, failed)
        return ends

    async def topics(self) -> dict[str, set[int]]:
        """The topics that exist now, and their partitions. Raises `KafkaUnavailable`."""
        try:
            async with asyncio.timeout(self._bound):
                producer = await self._started()
                metadata = await producer.client.fetch_all_metadata()
        except (KafkaError, OSError, TimeoutError) as error:
            raise KafkaUnavailable(f"{type(error).__name__}: {error}") from error
        return {name: set(metadata.partitions_for_topic(name) or ()) for name in metadata.topics()}

    async def stop(self) -> None:
        """Send what is buffered and close the producer, within a second."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await producer.stop()
        except (KafkaError, OSError, TimeoutError):
            await _close(producer)

    async def _abandon(self) -> None:
        """Close the producer without flushing: its successor sends the messages again."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _close(producer)

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                self._producer = await self._start()
            return self._producer

    async def _start(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._connection, enable_idempotence=True, acks="all", value_serializer=_value
        )
        pause_between_metadata_updates(producer.client)
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer


async def _send_to_topic(
    producer: AIOKafkaProducer,
    messages: Sequence[ProducerRecord],
    deadline: float,
    ends: dict[TopicPartition, int],
) -> Exception | None:
    """Send messages to their one topic, and add the ends of its partitions. Returns what it failed with."""
    try:
        async with asyncio.timeout_at(deadline):
            sent = [
                await producer.send(m.topic, _sendable(m), key=m.key, headers=m.headers)
                for m in messages
            ]
            for acknowledged in await asyncio.gather(*sent):
                # The offset of a batch that a retry found on the broker already may be unknown (-1).
                if acknowledged.offset >= 0:
                    ends[acknowledged.topic_partition] = acknowledged.offset + 1
    except _FAILURES as error:
        return error
    return None


async def _close(producer: AIOKafkaProducer) -> None:
    """Close a producer's sender and connections. Its own `stop` would wait for a broker that is down."""
    for close in (producer._sender.close, producer.client.close):  # noqa: SLF001 - see above
        with contextlib.suppress(KafkaError, OSError, TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(_STOP_SECONDS):
                await close()
    producer._closed = True  # noqa: SLF001 - or it reports itself as left open


class _NoValue:
    """Stands for a null value: the library takes no record with neither key nor value.

    Such records exist, and a dead letter must equal its record.
    """


def _sendable(message: ProducerRecord) -> bytes | type[_NoValue]:
    return _NoValue if message.value is None else message.value


def _value(value: bytes | type[_NoValue]) -> bytes | None:
    return value if isinstance(value, bytes) else None
