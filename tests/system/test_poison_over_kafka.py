"""A command that our own code stumbles over costs nobody else anything, and may be tried again."""

import json
from pathlib import Path

import pytest

from services.dev.system import dev_system
from tests.system.faulty_system import (
    Fault,
    buyer,
    command,
    dead_letters,
    place_of,
    publish_together,
    retried,
)
from tests.system.kafka_records import ONE_ITEM, Offset, dead_letter_of
from tests.system.kafka_user import header, kafka_user, new_id

OTHERS = 7


async def test_poison_in_a_batch_is_put_aside_alone_and_succeeds_once_the_fault_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fault = Fault.injected(monkeypatch)
    async with dev_system(tmp_path / "data") as system, kafka_user(system.kafka) as kafka:
        checkout_id = new_id()
        created = await kafka.ask("CreateCheckout", checkout_id, ONE_ITEM)
        batch = [command("CreateCheckout", new_id(), ONE_ITEM) for _ in range(OTHERS)]
        batch.insert(3, command("UpdateCheckout", checkout_id, buyer()))

        first = await publish_together(kafka, batch)

        replies = [(await kafka.replies_to(raw.command_id))[0] for raw in batch]
        assert ["version" in reply for reply in replies] == [True] * 3 + [False] + [True] * 4
        assert replies[3]["error"]["code"] == "internal"
        at = Offset(first.partition, first.offset + 3)
        letter = await dead_letter_of(kafka, at)
        assert header(letter, "dl_reason") == "internal"
        assert header(letter, "dl_checkout_version") == str(created["version"])
        assert (letter.key, letter.value) == (batch[3].key, batch[3].value)
        listed = (await dead_letters(system, "list")).stdout.splitlines()
        assert len(listed) == 1

        fault.is_there = False
        status, [result] = await retried(system, await place_of(kafka, at))

        assert status == 0
        assert result["type"] == "checkout.CommandAccepted"
        assert result["data"]["command_id"] == batch[3].command_id
        assert result["data"]["version"] == created["version"] + 1
        assert result["data"]["checkout"]["buyer"] == buyer()["buyer"]


async def test_a_retry_under_the_same_fault_is_put_aside_again_and_leaves_the_first_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    Fault.injected(monkeypatch)
    async with dev_system(tmp_path / "data") as system, kafka_user(system.kafka) as kafka:
        checkout_id = new_id()
        await kafka.ask("CreateCheckout", checkout_id, ONE_ITEM)
        reply = await kafka.ask("UpdateCheckout", checkout_id, buyer())
        assert reply["error"]["code"] == "internal"

        status, [result] = await retried(system, "--reason", "internal")

        assert status == 1
        assert result["data"]["error"]["code"] == "internal"
        listed = (await dead_letters(system, "list", "--json")).stdout.splitlines()
        letters = [json.loads(line) for line in listed]
        assert [letter["checkout"] for letter in letters] == [checkout_id] * 2
        [first, again] = letters
        assert first["checkout_version"] == again["checkout_version"] == 3
