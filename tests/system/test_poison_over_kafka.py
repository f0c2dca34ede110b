"""A command that triggers a bug becomes a dead letter, affects no other command, and can be retried."""

import json
from pathlib import Path

import pytest

from services.dev.system import dev_system
from tests.system.faulty_system import (
    Fault,
    binary_command,
    buyer_update,
    place_of_dead_letter,
    publish_batch,
    retry_dead_letters,
    run_dead_letters,
)
from tests.system.kafka_records import ONE_ITEM, RecordPosition, dead_letter_of
from tests.system.kafka_user import header, kafka_user, new_id

OTHER_COMMANDS = 7


async def test_only_the_poison_command_of_a_batch_is_dead_lettered_and_a_retry_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fault = Fault.inject(monkeypatch)
    async with dev_system(tmp_path / "data") as system, kafka_user(system.kafka) as kafka:
        checkout_id = new_id()
        created = await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)
        batch = [
            binary_command("CreateCheckout", new_id(), ONE_ITEM) for _ in range(OTHER_COMMANDS)
        ]
        batch.insert(3, binary_command("UpdateCheckout", checkout_id, buyer_update()))

        first = await publish_batch(kafka, batch)

        replies = [(await kafka.replies_to(raw.command_id))[0] for raw in batch]
        assert ["version" in reply for reply in replies] == [True] * 3 + [False] + [True] * 4
        assert replies[3]["error"]["code"] == "internal"
        at = RecordPosition(first.partition, first.offset + 3)
        letter = await dead_letter_of(kafka, at)
        assert header(letter, "dl_reason") == "internal"
        assert header(letter, "dl_checkout_version") == str(created["version"])
        assert (letter.key, letter.value) == (batch[3].key, batch[3].value)
        listed = (await run_dead_letters(system, "list")).stdout.splitlines()
        assert len(listed) == 1

        fault.is_active = False
        status, [result] = await retry_dead_letters(system, await place_of_dead_letter(kafka, at))

        assert status == 0
        assert result["type"] == "checkout.CommandAccepted"
        assert result["data"]["command_id"] == batch[3].command_id
        assert result["data"]["version"] == created["version"] + 1
        assert result["data"]["checkout"]["buyer"] == buyer_update()["buyer"]


async def test_a_retry_that_fails_again_adds_a_second_dead_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    Fault.inject(monkeypatch)
    async with dev_system(tmp_path / "data") as system, kafka_user(system.kafka) as kafka:
        checkout_id = new_id()
        await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)
        reply = await kafka.request("UpdateCheckout", checkout_id, buyer_update())
        assert reply["error"]["code"] == "internal"

        status, [result] = await retry_dead_letters(system, "--reason", "internal")

        assert status == 1
        assert result["data"]["error"]["code"] == "internal"
        listed = (await run_dead_letters(system, "list", "--json")).stdout.splitlines()
        letters = [json.loads(line) for line in listed]
        assert [letter["checkout"] for letter in letters] == [checkout_id] * 2
        [first, again] = letters
        assert first["checkout_version"] == again["checkout_version"] == 3
