"""A client that publishes commands and waits for their replies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.kafka.connection import KafkaConnection
from services.kafka.producer_record import ProducerRecord
from services.kafka.publisher import KafkaUnavailable, Publisher
from services.kafka.topics import Topics
from services.messages.cloud_events import CommandAttributes, binary_headers, type_of
from services.messages.replies import CommandAccepted


class NoReply(Exception):
    """No reply arrived in time. The command may still be carried out."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a command: `checkout.CommandAccepted` or `checkout.CommandRejected`."""

    type: str
    data: Any

    @property
    def is_accepted(self) -> bool:
        """Whether the command was carried out."""
        return self.type == type_of(CommandAccepted.__name__)


@dataclass(frozen=True, slots=True)
class CommandIdentity:
    """The identity of a command, which its reply names: `ce_source` and `ce_id`."""

    source: str
    command_id: str


@dataclass(frozen=True, slots=True)
class CommandToSend:
    """A command as its publisher names it."""

    type: str
    checkout_id: str
    body: bytes | None
    source: str
    command_id: str
    expected_version: int | None = None

    def message(self, topics: Topics) -> ProducerRecord:
        """The command in binary mode."""
        attributes: CommandAttributes = {
            "specversion": "1.0",
            "id": self.command_id,
            "source": self.source,
            "type": self.type,
            "subject": self.checkout_id,
        }
        if self.expected_version is not None:
            attributes["expectedversion"] = str(self.expected_version)
        headers = binary_headers(attributes)
        return ProducerRecord(topics.commands, self.checkout_id.encode(), self.body, headers)


class CommandClient:
    """Sends commands one at a time. Raises `KafkaUnavailable` when the broker fails."""

    def __init__(self, connection: KafkaConnection, topics: Topics) -> None:
        self._connection = connection
        self._topics = topics
        self._publisher = Publisher(connection)

    async def __aenter__(self) -> CommandClient:
        """Use the client within a block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        await self._publisher.stop()

    async def send(self, command: CommandToSend, seconds: float = 10.0) -> Reply:
        """Publish a command and return its reply. Raises `NoReply`."""
        async with self.following(self._topics.replies) as replies:
            identity = CommandIdentity(command.source, command.command_id)
            return await self.ask(command.message(self._topics), identity, replies, seconds)

    async def ask(
        self,
        message: ProducerRecord,
        identity: CommandIdentity,
        replies: AIOKafkaConsumer,
        seconds: float = 10.0,
    ) -> Reply:
        """Publish a command and return its reply from a consumer of the reply topic. Raises `NoReply`."""
        await self._publisher.publish([message])
        try:
            async with asyncio.timeout(seconds):
                async for record in replies:
                    if _answers(record, identity):
                        return Reply(_header(record, "ce_type"), orjson.loads(record.value))
        except TimeoutError:
            pass
        raise NoReply(f"no reply within {seconds:g} s; is the command service running?")

    @asynccontextmanager
    async def following(self, topic: str, *if_there: str) -> AsyncIterator[AIOKafkaConsumer]:
        """A consumer of what arrives from now on at a topic, and at others if they exist: without a
        group, from the end.
        """
        known = await self._publisher.topics()
        if not known.get(topic):
            raise KafkaUnavailable(f"there is no topic {topic}; `checkout topics` makes it")
        followed = sorted({topic, *if_there})
        consumer = AIOKafkaConsumer(**self._connection, enable_auto_commit=False)
        try:
            await consumer.start()
            partitions = [
                TopicPartition(name, number)
                for name in followed
                for number in sorted(known.get(name, ()))
            ]
            consumer.assign(partitions)
            await consumer.seek_to_end(*partitions)
            for partition in partitions:
                await consumer.position(partition)
            yield consumer
        except KafkaError as error:
            raise KafkaUnavailable(f"{type(error).__name__}: {error}") from error
        finally:
            await consumer.stop()


def _answers(record: ConsumerRecord, identity: CommandIdentity) -> bool:
    cause = CommandIdentity(
        _header(record, "ce_causationsource"), _header(record, "ce_causationid")
    )
    return cause == identity


def _header(record: ConsumerRecord, name: str) -> str:
    value = dict(record.headers).get(name)
    return value.decode("utf-8", "replace") if value else ""
