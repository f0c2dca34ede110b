"""Raw Kafka records, for tests that publish malformed commands."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord

from tests.system.kafka_user import (
    SOURCE,
    WAIT_SECONDS,
    KafkaUser,
    command_headers,
    header,
    new_id,
    topic_consumer,
)

ONE_ITEM = {"items": [{"id": "item_123", "quantity": 1}]}
PARTITION = 1
"""Malformed records and the valid ones behind them share this partition."""

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True)
class RawRecord:
    """A record to publish as it is, and the id of its command."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    command_id: str


@dataclass(frozen=True)
class RecordPosition:
    """Partition and offset of a published record."""

    partition: int
    offset: int

    def is_source_of(self, letter: ConsumerRecord) -> bool:
        """Whether a dead letter was made from this record."""
        source = (header(letter, "dl_partition"), header(letter, "dl_offset"))
        return source == (str(self.partition), str(self.offset))


async def publish_raw(
    kafka: KafkaUser, raw: RawRecord, partition: int = PARTITION
) -> RecordPosition:
    """Publish a record to the command topic."""
    batch = kafka.producer.create_batch()
    # Unlike `send`, a batch accepts a record with neither key nor value.
    assert batch.append(key=raw.key, value=raw.value, timestamp=None, headers=raw.headers)
    batch.close()
    sent = await kafka.producer.send_batch(batch, "checkout.commands", partition=partition)
    metadata = await sent
    return RecordPosition(metadata.partition, metadata.offset)


def valid_command() -> RawRecord:
    """A binary-mode command that creates a checkout with a new id."""
    checkout_id, command_id = new_id(), new_id()
    headers = command_headers("CreateCheckout", checkout_id, command_id)
    return RawRecord(checkout_id.encode(), json.dumps(ONE_ITEM).encode(), headers, command_id)


def valid_structured_command(**more: Any) -> RawRecord:
    """The same in structured mode; `more` adds or replaces attributes."""
    checkout_id, command_id = new_id(), new_id()
    event = structured_command(
        "CreateCheckout", checkout_id, command_id, **{"data": ONE_ITEM} | more
    )
    return structured_record(event, checkout_id, command_id)


async def is_accepted(kafka: KafkaUser, raw: RawRecord) -> bool:
    """Whether the command is accepted; waits for its reply."""
    [reply] = await kafka.replies_to(raw.command_id)
    return "checkout" in reply


async def dead_letter_of(kafka: KafkaUser, at: RecordPosition) -> ConsumerRecord:
    """The dead letter of a record; waits for it."""
    [letter] = await kafka.records("checkout.dead-letters", at.is_source_of, 1)
    return letter


async def read_all(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    """All records that a topic holds now, in order within each partition."""
    found: list[ConsumerRecord] = []
    async with topic_consumer(bootstrap, topic) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        async with asyncio.timeout(WAIT_SECONDS):
            for partition, end in ends.items():
                while await consumer.position(partition) < end:
                    found += (await consumer.getmany(partition, timeout_ms=200)).get(partition, [])
    return found


def structured_command(
    command_type: str, checkout_id: str, command_id: str, **more: Any
) -> dict[str, Any]:
    """A command as one JSON object; `more` adds or replaces attributes."""
    return {
        "specversion": "1.0",
        "id": command_id,
        "source": SOURCE,
        "type": f"checkout.{command_type}",
        "subject": checkout_id,
    } | more


def structured_record(
    event: dict[str, Any],
    key: str,
    command_id: str,
    content_type: str = "application/cloudevents+json",
) -> RawRecord:
    """A record that holds a structured CloudEvent."""
    headers: Headers = [("content-type", content_type.encode())]
    return RawRecord(key.encode(), json.dumps(event).encode(), headers, command_id)
