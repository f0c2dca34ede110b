"""Commands from Kafka: read, hand in, answer, and only then commit the offsets."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from aiokafka import ConsumerRecord

from services.commands.dead_letters import dead_letter
from services.commands.reading import DeadLetterReason, Incoming, Unreadable, read
from services.commands.replies import accepted, rejected
from services.handler import Accepted, Answer, Failed, Rejected, Writer
from services.kafka.connection import KafkaConnection
from services.kafka.message import Message
from services.kafka.publisher import Publisher
from services.kafka.subscription import Records, Subscription
from services.kafka.topics import Topics
from services.metrics import DEAD_LETTERS

logger = logging.getLogger(__name__)

_TOPICS_SECONDS = 5.0
"""For how long the list of topics is believed."""


class CommandService:
    """Each record of the command topic ends as applied, repeated, refused or dead-lettered."""

    def __init__(
        self,
        connection: KafkaConnection,
        topics: Topics,
        writer: Writer,
        now: Callable[[], datetime],
    ) -> None:
        self._topics = topics
        self._writer = writer
        self._now = now
        self._publisher = Publisher(connection)
        self._existing: set[str] = set()
        self._looked_at = 0.0
        self.subscription = Subscription(
            connection, topics.commands, f"{topics.prefix}commands", self._handle
        )

    async def start(self) -> None:
        """Join the group and serve."""
        await self.subscription.start()

    async def stop(self) -> None:
        """Finish what is in hand and leave the group."""
        await self.subscription.stop()
        await self._publisher.stop()

    async def _handle(self, records: Records) -> None:
        read_records = [self._read(record) for record in records]
        incoming = [item for item in read_records if isinstance(item, Incoming)]
        answers = await self._writer.submit([item.submission for item in incoming])
        await self._writer.show_for_certain(answers)
        messages = [
            self._dead_letter(item) for item in read_records if isinstance(item, Unreadable)
        ]
        for item, answer in zip(incoming, answers, strict=True):
            messages += await self._messages_of(item, answer)
        await self._publisher.publish(messages)

    def _read(self, record: ConsumerRecord) -> Incoming | Unreadable:
        """Read a record; one that our own code stumbles over is put aside and stops nobody."""
        try:
            return read(record, self._topics)
        except Exception:
            logger.exception("offset %d of partition %d", record.offset, record.partition)
            return Unreadable(record, DeadLetterReason.INTERNAL)

    async def _messages_of(self, item: Incoming, answer: Answer) -> Sequence[Message]:
        topic = await self._reply_topic(item.reply_to)
        submission = item.submission
        match answer:
            case Accepted():
                return [accepted(topic, submission, answer.view, self._now())]
            case Rejected():
                return [rejected(topic, submission, answer.refusal, self._now())]
            case Failed():
                letter = self._dead_letter(Unreadable(item.record, DeadLetterReason.INTERNAL))
                return [letter, rejected(topic, submission, answer.refusal, self._now())]
            case _:
                raise TypeError(f"a command from Kafka can't end as {answer!r}")

    def _dead_letter(self, item: Unreadable) -> Message:
        record = item.record
        DEAD_LETTERS.labels(reason=item.reason.value).inc()
        logger.warning(
            "dead letter: %s, %s partition %d offset %d",
            item.reason.value,
            record.topic,
            record.partition,
            record.offset,
        )
        return dead_letter(self._topics.dead_letters, record, item.reason, self._now())

    async def _reply_topic(self, asked: str) -> str:
        """The topic asked for if it exists: sending to one that doesn't would block for 40 s."""
        if asked == self._topics.replies or asked in self._existing:
            return asked
        if time.monotonic() - self._looked_at > _TOPICS_SECONDS:
            self._existing = set(await self._publisher.topics())
            self._looked_at = time.monotonic()
        return asked if asked in self._existing else self._topics.replies
