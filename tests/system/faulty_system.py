"""A system in this process with a fault in its domain, to be turned off again: as after a new build."""

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
from tests.system.kafka_records import PARTITION, Offset, Raw, dead_letter_of, publish_raw
from tests.system.kafka_user import KafkaUser, command_headers, new_id

POISON = "Poison"


class Fault:
    """While it is there, our code stumbles over every buyer of that name."""

    def __init__(self) -> None:
        self.is_there = True

    def decide(self, before: Any, command: Any, *more: Any) -> Any:
        buyer = getattr(command, "buyer", None)
        if self.is_there and buyer and buyer.first_name == POISON:
            raise ZeroDivisionError
        return decide(before, command, *more)

    @classmethod
    def injected(cls, monkeypatch: pytest.MonkeyPatch) -> Fault:
        fault = cls()
        monkeypatch.setattr("services.command_handling.handler.decide", fault.decide)
        return fault


def buyer(first_name: str = POISON, email: str = "ada@example.com") -> dict[str, Any]:
    """The body of an update."""
    return {"buyer": {"first_name": first_name, "last_name": "L", "email": email}}


def command(command_type: str, checkout_id: str, body: Any, **more: str | bytes | None) -> Raw:
    """A command in binary mode; `more` are further headers."""
    command_id = new_id()
    headers = command_headers(command_type, checkout_id, command_id, **more)
    return Raw(checkout_id.encode(), json.dumps(body).encode(), headers, command_id)


async def put_aside(kafka: KafkaUser, raw: Raw) -> str:
    """Publish what our code stumbles over; the place of its dead letter."""
    return await place_of(kafka, await publish_raw(kafka, raw))


async def place_of(kafka: KafkaUser, at: Offset) -> str:
    letter = await dead_letter_of(kafka, at)
    return f"{letter.partition}:{letter.offset}"


async def publish_together(kafka: KafkaUser, raws: Sequence[Raw]) -> Offset:
    """Publish all in one record batch, so that they are handled together; where the first one went."""
    batch = kafka.producer.create_batch()
    for raw in raws:
        assert batch.append(key=raw.key, value=raw.value, timestamp=None, headers=raw.headers)
    batch.close()
    sent = await kafka.producer.send_batch(batch, "checkout.commands", partition=PARTITION)
    metadata = await sent
    return Offset(metadata.partition, metadata.offset)


async def dead_letters(system: DevSystem, *arguments: object) -> subprocess.CompletedProcess[str]:
    """`checkout dead-letters …` beside a system that runs in this process."""
    bootstrap = {"CHECKOUT_KAFKA_BOOTSTRAP_SERVERS": system.kafka}
    return await asyncio.to_thread(checkout, "dead-letters", *arguments, **bootstrap)


async def retried(system: DevSystem, *arguments: object) -> tuple[int, list[Any]]:
    """The exit status of `dead-letters retry … --json`, and what it says."""
    ended = await dead_letters(system, "retry", *arguments, "--json")
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]
