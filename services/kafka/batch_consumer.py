"""A FastStream batch subscriber that commits offsets last and never skips a batch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from services.kafka.connection import KafkaConnection
from services.kafka.consumer_lag import ConsumerLag
from services.kafka.log_filter import faststream_logger
from services.kafka.resilient_consumer import ResilientConsumer
from services.runtime.backoff import pauses
from services.runtime.lag import Lag
from services.runtime.tracing import batch_span, traceparent_in

logger = logging.getLogger(__name__)

Records = Sequence[ConsumerRecord]
Handle = Callable[[Records], Awaitable[None]]
OnAssigned = Callable[[Sequence[TopicPartition]], Awaitable[None]]

_FIRST_PAUSE, _LONGEST_PAUSE, _DRAIN_SECONDS = 0.1, 5.0, 5.0


class BatchConsumer:
    """Hands batches of a topic to `handle`, in order within each partition.

    `handle` returns when a batch is done, and only then are its offsets committed. An exception of
    `handle` means that the infrastructure failed: the same batch is tried again, after a growing pause.

    FastStream joins the group, runs the batch loop and drains it at a stop. Four of its parts are
    replaced, because each can lose a message:

    - acknowledgement is manual: its other policies commit on an exception too, or rewind without a pause;
    - its parser raises on a null or binary header, and the batch is then committed past: ours never raises;
    - its decoder is skipped, since `handle` reads the raw records;
    - its consumer class is ours (`ResilientConsumer`), passed in through the builder of its configuration:
      FastStream has no other way in.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        topic: str,
        group: str,
        handle: Handle,
        on_assigned: OnAssigned | None = None,
        max_records: int = 500,
    ) -> None:
        self._handle = handle
        self._on_assigned = on_assigned
        self._drained = asyncio.Event()
        self._drained.set()
        self._lag = ConsumerLag()
        self.is_healthy = True
        self._connection = connection
        self._first_assigned = asyncio.Event()
        self._broker = KafkaBroker(
            connection["bootstrap_servers"],
            consumer_only=True,
            apply_types=False,
            graceful_timeout=_DRAIN_SECONDS,
            logger=faststream_logger,
            log_level=logging.DEBUG,
        )
        self._subscriber = self._broker.subscriber(
            topic,
            batch=True,
            max_records=max_records,
            group_id=group,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            listener=_Listener(self),
            heartbeat_interval_ms=1_000,
            # Kafka answers as soon as there is a record; the mock broker of `checkout dev` waits
            # this long.
            fetch_max_wait_ms=100,
            parser=self._parse,
            decoder=self._decode,
        )
        self._subscriber(self._consume)

    @property
    def consumer(self) -> ResilientConsumer:
        """The consumer, once started."""
        consumer = self._subscriber.consumer
        if not isinstance(consumer, ResilientConsumer):
            raise TypeError("the consumer has not been started")
        return consumer

    @property
    def failure(self) -> str | None:
        """What keeps records from being handled, None if nothing does."""
        consumer = self._subscriber.consumer
        if isinstance(consumer, ResilientConsumer) and consumer.failure:
            return f"records can't be fetched: {consumer.failure}"
        if not self.is_healthy:
            return "a batch is held and tried again"
        return None if self.is_assigned else "no partition is assigned"

    @property
    def is_assigned(self) -> bool:
        """Whether this consumer has a partition."""
        consumer = self._subscriber.consumer
        return consumer is not None and bool(consumer.assignment())

    async def lag(self) -> Lag:
        """The lag of our partitions. Raises `KafkaError` or `TimeoutError`."""
        return await self._lag.measure(self.consumer)

    async def start(self) -> None:
        """Join the group. Raises `KafkaError` when the broker can't be reached."""
        await self._broker.connect()
        config = self._broker.config.broker_config
        if isinstance(config.builder, partial):
            config.builder = partial(
                ResilientConsumer, **config.builder.keywords | self._connection
            )
        await self._broker.start()

    async def stop(self) -> None:
        """Finish the batch in hand within a time limit, and leave the group."""
        await self._broker.stop()

    async def until_assigned(self) -> None:
        """Wait for the first partition."""
        await self._first_assigned.wait()

    async def drain(self) -> None:
        """Wait, with a time limit, until no batch is in hand."""
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                await self._drained.wait()
        except TimeoutError:
            logger.warning("a batch is still in hand while its partitions are revoked")

    async def assigned(self, partitions: set[TopicPartition]) -> None:
        """Let the owner of other positions seek before consuming starts."""
        if partitions:
            self._first_assigned.set()
        if self._on_assigned:
            await self._on_assigned(sorted(partitions))

    async def _parse(self, batch: Records) -> KafkaMessage:
        """FastStream's own parser raises on a null or binary header, and the batch would be lost."""
        return KafkaMessage(body=batch, raw_message=tuple(batch), consumer=self.consumer)

    async def _decode(self, message: KafkaMessage) -> Any:
        return message.raw_message

    async def _consume(self, records: Records) -> None:
        self._drained.clear()
        self._lag.set_in_hand(records)
        try:
            await self._until_done(records)
        finally:
            self._lag.set_in_hand(())
            self._drained.set()

    async def _until_done(self, records: Records) -> None:
        first = records[0]
        for pause in pauses(_FIRST_PAUSE, _LONGEST_PAUSE):
            try:
                traces = (traceparent_in(record.headers) for record in records)
                name, size = f"process {first.topic}", len(records)
                with batch_span(name, "CONSUMER", traces, messaging__batch__message_count=size):
                    await self._handle(records)
                self.is_healthy = True
                return await self._commit(records)
            except Exception:
                self.is_healthy = False
                logger.exception(
                    "%s partition %d is held at offset %d, trying again in %.1f s",
                    first.topic,
                    first.partition,
                    first.offset,
                    pause,
                )
            await asyncio.sleep(pause)
        return None

    async def _commit(self, records: Records) -> None:
        """Commit, unless the partition was reassigned: its new owner then repeats the batch."""
        ends = {TopicPartition(r.topic, r.partition): r.offset + 1 for r in records}
        ours = {tp: end for tp, end in ends.items() if tp in self.consumer.assignment()}
        try:
            if ours:
                await self.consumer.commit(ours)
        except (KafkaError, IllegalStateError) as error:
            logger.warning("offsets were not committed: %r", error)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, batch_consumer: BatchConsumer) -> None:
        self._batch_consumer = batch_consumer

    async def on_partitions_revoked(self, _: set[TopicPartition]) -> None:
        await self._batch_consumer.drain()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self._batch_consumer.assigned(assigned)
