"""Consumes commands from Kafka: decode, handle, reply, and only then commit the offsets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from aiokafka import ConsumerRecord

from domain.rejection import Rejection
from services.command_consumer import dead_letter_codec
from services.command_consumer.command_decoding import (
    DecodedCommand,
    UnanswerableRecord,
    decode_command,
)
from services.command_consumer.reply_topics import ReplyTopics
from services.command_handling import Accepted, Answer, Failed, GroupCommitter, Rejected
from services.kafka.batch_consumer import BatchConsumer, Records
from services.kafka.connection import KafkaConnection
from services.kafka.producer_record import ProducerRecord
from services.kafka.publisher import KafkaUnavailable, Publisher
from services.kafka.topics import Topics
from services.messages.dead_letters import DeadLetterReason
from services.messages.replies import RepliedCommand, accepted, rejected
from services.runtime.lag import LagMonitor
from services.runtime.metrics import COMMAND_LAG, DEAD_LETTERS

logger = logging.getLogger(__name__)


class CommandConsumer:
    """Each record of the command topic is applied, repeated, rejected or dead-lettered."""

    def __init__(
        self,
        connection: KafkaConnection,
        topics: Topics,
        writer: GroupCommitter,
        now: Callable[[], datetime],
        max_lag: int,
    ) -> None:
        self._topics = topics
        self._writer = writer
        self._now = now
        self._publisher = Publisher(connection)
        self._reply_topics = ReplyTopics(topics.replies, self._publisher)
        self.batch_consumer = BatchConsumer(
            connection, topics.commands, f"{topics.prefix}commands", self._handle
        )
        waiting = "commands are not handled yet"
        self.lag = LagMonitor(waiting, self.batch_consumer.lag, COMMAND_LAG, max_lag)

    async def start(self) -> None:
        """Join the consumer group and start."""
        await self.batch_consumer.start()
        self.lag.start()

    async def stop(self) -> None:
        """Finish the batch in hand and leave the group."""
        await self.lag.stop()
        await self.batch_consumer.stop()
        await self._publisher.stop()

    async def _handle(self, records: Records) -> None:
        decoded = [self._decode(record) for record in records]
        incoming = [item for item in decoded if isinstance(item, DecodedCommand)]
        answers = await self._writer.submit([item.envelope for item in incoming])
        await self._writer.show_for_certain(answers)
        reply_topics = await self._reply_topics.choose({item.reply_to for item in incoming})
        messages = [
            self._dead_letter(item.record, item.reason)
            for item in decoded
            if isinstance(item, UnanswerableRecord)
        ]
        for item, answer in zip(incoming, answers, strict=True):
            messages += self._messages_of(item, answer, reply_topics[item.reply_to])
        try:
            await self._publisher.publish(messages)
        except KafkaUnavailable as error:
            # The cause may be one publisher's reply topic, which must not hold up all other
            # commands.
            self._reply_topics.failed(error.failed, {message.topic for message in messages})
            raise
        self._reply_topics.succeeded()

    def _decode(self, record: ConsumerRecord) -> DecodedCommand | UnanswerableRecord:
        """Decode a record. One that makes our own code fail becomes a dead letter and stops no other."""
        try:
            return decode_command(record, self._topics)
        except Exception:
            logger.exception("offset %d of partition %d", record.offset, record.partition)
            return UnanswerableRecord(record, DeadLetterReason.INTERNAL)

    def _messages_of(
        self, item: DecodedCommand, answer: Answer, topics: Sequence[str]
    ) -> Sequence[ProducerRecord]:
        envelope = item.envelope
        command = RepliedCommand(
            envelope.command_id,
            envelope.source,
            envelope.checkout_id,
            envelope.correlation_id,
            envelope.traceparent,
        )
        match answer:
            case Accepted():
                return [accepted(topic, command, answer.view, self._now()) for topic in topics]
            case Rejected():
                return self._rejected(topics, command, answer.rejection)
            case Failed():
                reason, version = DeadLetterReason.INTERNAL, answer.checkout_version
                letter = self._dead_letter(item.record, reason, version)
                return [letter, *self._rejected(topics, command, answer.rejection)]
            case _:
                raise TypeError(f"a command from Kafka can't end as {answer!r}")

    def _rejected(
        self, topics: Sequence[str], command: RepliedCommand, rejection: Rejection
    ) -> list[ProducerRecord]:
        return [rejected(topic, command, rejection, self._now()) for topic in topics]

    def _dead_letter(
        self, record: ConsumerRecord, reason: DeadLetterReason, checkout_version: int | None = None
    ) -> ProducerRecord:
        DEAD_LETTERS.labels(reason=reason.value).inc()
        logger.warning(
            "dead letter: %s, %s partition %d offset %d",
            reason.value,
            record.topic,
            record.partition,
            record.offset,
        )
        topic = self._topics.dead_letters
        return dead_letter_codec.encode(topic, record, reason, self._now(), checkout_version)
