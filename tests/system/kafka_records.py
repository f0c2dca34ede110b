"""Records as they are, for whoever sends what no well-behaved publisher would."""

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
    reading,
)

ONE_ITEM = {"items": [{"id": "item_123", "quantity": 1}]}
PARTITION = 1
"""Where bad records and the good ones behind them go."""

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Raw:
    """A record to be published just so, and the id of the command in it."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    command_id: str


@dataclass(frozen=True)
class Offset:
    """Where a record went."""

    partition: int
    offset: int

    def is_of(self, letter: ConsumerRecord) -> bool:
        """Whether a dead letter is that record's."""
        told = (header(letter, "dl_partition"), header(letter, "dl_offset"))
        return told == (str(self.partition), str(self.offset))


async def publish_raw(kafka: KafkaUser, raw: Raw, partition: int = PARTITION) -> Offset:
    """Publish a record to the command topic."""
    batch = kafka.producer.create_batch()
    # Unlike `send`, this takes a record with neither key nor value.
    assert batch.append(key=raw.key, value=raw.value, timestamp=None, headers=raw.headers)
    batch.close()
    sent = await kafka.producer.send_batch(batch, "checkout.commands", partition=partition)
    metadata = await sent
    return Offset(metadata.partition, metadata.offset)


def good() -> Raw:
    """A command to create a checkout that nobody else knows."""
    checkout_id, command_id = new_id(), new_id()
    headers = command_headers("CreateCheckout", checkout_id, command_id)
    return Raw(checkout_id.encode(), json.dumps(ONE_ITEM).encode(), headers, command_id)


def good_event(**more: Any) -> Raw:
    """The same in structured mode; `more` adds or replaces what stands in the JSON."""
    checkout_id, command_id = new_id(), new_id()
    event = structured("CreateCheckout", checkout_id, command_id, **{"data": ONE_ITEM} | more)
    return as_structured(event, checkout_id, command_id)


async def is_served(kafka: KafkaUser, raw: Raw) -> bool:
    """Whether a good command is accepted."""
    [reply] = await kafka.replies_to(raw.command_id)
    return "checkout" in reply


async def dead_letter_of(kafka: KafkaUser, at: Offset) -> ConsumerRecord:
    """The dead letter of a record, waiting for it."""
    [letter] = await kafka.records("checkout.dead-letters", at.is_of, 1)
    return letter


async def so_far(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    """All that a topic holds at this moment, in order within each partition."""
    found: list[ConsumerRecord] = []
    async with reading(bootstrap, topic) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        async with asyncio.timeout(WAIT_SECONDS):
            for partition, end in ends.items():
                while await consumer.position(partition) < end:
                    found += (await consumer.getmany(partition, timeout_ms=200)).get(partition, [])
    return found


def structured(command_type: str, checkout_id: str, command_id: str, **more: Any) -> dict[str, Any]:
    """A command as one JSON object; `more` adds or replaces."""
    return {
        "specversion": "1.0",
        "id": command_id,
        "source": SOURCE,
        "type": f"checkout.{command_type}",
        "subject": checkout_id,
    } | more


def as_structured(
    event: dict[str, Any],
    key: str,
    command_id: str,
    content_type: str = "application/cloudevents+json",
) -> Raw:
    """A record in structured mode."""
    headers: Headers = [("content-type", content_type.encode())]
    return Raw(key.encode(), json.dumps(event).encode(), headers, command_id)
