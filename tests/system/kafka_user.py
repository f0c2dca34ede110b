"""A Kafka client as another service would write it with aiokafka: publishes commands, reads topics."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

SOURCE = "/tests/shop"
WAIT_SECONDS = 15


def new_id() -> str:
    """A unique id."""
    return uuid.uuid4().hex


def command_headers(
    command_type: str, checkout_id: str, command_id: str, **more: str | bytes | None
) -> list[tuple[str, bytes | None]]:
    """The headers of a command in binary mode; `more` adds or replaces, None removes a header."""
    headers: dict[str, Any] = {
        "ce_specversion": "1.0",
        "ce_id": command_id,
        "ce_source": SOURCE,
        "ce_type": f"checkout.{command_type}",
        "ce_subject": checkout_id,
        "content-type": "application/json",
    } | more
    return [
        (name, value.encode() if isinstance(value, str) else value)
        for name, value in headers.items()
        if value is not None
    ]


class KafkaUser:
    """Publishes commands and reads the resulting replies and events."""

    def __init__(self, bootstrap: str, producer: AIOKafkaProducer) -> None:
        self.bootstrap = bootstrap
        self.producer = producer
        self.prefix = "checkout."

    async def publish(
        self,
        command_type: str,
        checkout_id: str,
        body: Any,
        command_id: str | None = None,
        **more: str | None,
    ) -> str:
        """Publish a command in binary mode; returns its id."""
        command_id = command_id or new_id()
        await self.producer.send_and_wait(
            f"{self.prefix}commands",
            None if body is None else json.dumps(body).encode(),
            key=checkout_id.encode(),
            headers=command_headers(command_type, checkout_id, command_id, **more),
        )
        return command_id

    async def request(
        self, command_type: str, checkout_id: str, body: Any, **more: str | None
    ) -> dict[str, Any]:
        """Publish a command and return the data of its reply."""
        command_id = await self.publish(command_type, checkout_id, body, **more)
        [reply] = await self.replies_to(command_id)
        return reply

    async def replies_to(self, command_id: str, count: int = 1) -> list[dict[str, Any]]:
        """The data of the first `count` replies to a command; waits for them."""
        found = await self.records(
            f"{self.prefix}replies",
            lambda r: header(r, "ce_causationid") == command_id,
            count,
        )
        return [json.loads(record.value) for record in found]

    async def events_of(self, checkout_id: str, count: int) -> list[ConsumerRecord]:
        """The first `count` events of a checkout; waits for them."""
        return await self.records(
            f"{self.prefix}events", lambda r: header(r, "ce_subject") == checkout_id, count
        )

    async def records(
        self, topic: str, matches: Any, count: int, partitions: Iterable[int] = range(4)
    ) -> list[ConsumerRecord]:
        """The first `count` matching records of a topic, read from the beginning."""
        found: list[ConsumerRecord] = []
        async with topic_consumer(self.bootstrap, topic, partitions) as consumer:
            async with asyncio.timeout(WAIT_SECONDS):
                async for record in consumer:
                    if matches(record):
                        found.append(record)
                    if len(found) >= count:
                        return found
        raise AssertionError("unreachable")


@asynccontextmanager
async def topic_consumer(
    bootstrap: str, topic: str, partitions: Iterable[int] = range(4)
) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group, positioned at the beginning of a topic."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=50
    )
    await consumer.start()
    try:
        assigned = [TopicPartition(topic, number) for number in partitions]
        consumer.assign(assigned)
        await consumer.seek_to_beginning(*assigned)
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def kafka_user(bootstrap: str) -> AsyncIterator[KafkaUser]:
    """A client of the Kafka at this address."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        yield KafkaUser(bootstrap, producer)
    finally:
        await producer.stop()


def header(record: ConsumerRecord, name: str) -> str | None:
    """A header's text, or None if it is absent."""
    value = dict(record.headers).get(name)
    return None if value is None else value.decode()
