"""Injects a bug into the domain of an in-process system; tests switch it off, as a new build would."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from domain.decide import decide
from services.dev.system import DevSystem
from tests.services.command_line import checkout
from tests.system.kafka_records import (
    PARTITION,
    RawRecord,
    RecordPosition,
    dead_letter_of,
    publish_raw,
)
from tests.system.kafka_user import KafkaUser, command_headers, new_id

POISON = "Poison"


class Fault:
    """While active, deciding a command whose buyer has the poison name raises an exception."""

    def __init__(self) -> None:
        self.is_active = True

    def decide(self, before: Any, submitted: Any, *more: Any) -> Any:
        named = getattr(submitted, "buyer", None)
        if self.is_active and named and named.first_name == POISON:
            raise ZeroDivisionError
        return decide(before, submitted, *more)

    @classmethod
    def inject(cls, monkeypatch: pytest.MonkeyPatch) -> Fault:
        fault = cls()
        monkeypatch.setattr("services.command_handling.handler.decide", fault.decide)
        return fault


def buyer_update(first_name: str = POISON, email: str = "ada@example.com") -> dict[str, Any]:
    """The body of an update that sets the buyer."""
    return {"buyer": {"first_name": first_name, "last_name": "L", "email": email}}


def binary_command(
    command_type: str, checkout_id: str, body: Any, **more: str | bytes | None
) -> RawRecord:
    """A command in binary mode; `more` adds or replaces headers."""
    command_id = new_id()
    headers = command_headers(command_type, checkout_id, command_id, **more)
    return RawRecord(checkout_id.encode(), json.dumps(body).encode(), headers, command_id)


async def publish_dead_letter(kafka: KafkaUser, raw: RawRecord) -> str:
    """Publish a record that becomes a dead letter; returns the dead letter's place."""
    return await place_of_dead_letter(kafka, await publish_raw(kafka, raw))


async def place_of_dead_letter(kafka: KafkaUser, at: RecordPosition) -> str:
    """Partition and offset of a record's dead letter, as the command line writes them."""
    letter = await dead_letter_of(kafka, at)
    return f"{letter.partition}:{letter.offset}"


async def publish_batch(kafka: KafkaUser, raws: Sequence[RawRecord]) -> RecordPosition:
    """Publish the records in one batch, so that one transaction handles them.

    Returns the position of the first.
    """
    batch = kafka.producer.create_batch()
    for raw in raws:
        assert batch.append(key=raw.key, value=raw.value, timestamp=None, headers=raw.headers)
    batch.close()
    sent = await kafka.producer.send_batch(batch, "checkout.commands", partition=PARTITION)
    metadata = await sent
    return RecordPosition(metadata.partition, metadata.offset)


async def run_dead_letters(
    system: DevSystem, *arguments: object
) -> subprocess.CompletedProcess[str]:
    """Run `checkout dead-letters …` against a system in this process."""
    bootstrap = {"CHECKOUT_KAFKA_BOOTSTRAP_SERVERS": system.kafka}
    return await asyncio.to_thread(checkout, "dead-letters", *arguments, **bootstrap)


async def retry_dead_letters(system: DevSystem, *arguments: object) -> tuple[int, list[Any]]:
    """Run `dead-letters retry … --json`; returns the exit status and the parsed lines."""
    ended = await run_dead_letters(system, "retry", *arguments, "--json")
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]
