"""A command takes effect once, however often it is published, and every repeat gets the same reply."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.system.kafka_records import ONE_ITEM, publish_raw, read_all, valid_command
from tests.system.kafka_user import KafkaUser, header, new_id

TWO = {"items": [{"id": "item_123", "quantity": 2}]}
CONFLICT = "idempotency_conflict"


async def first_reply(kafka: KafkaUser, command_id: str, **command: Any) -> dict[str, Any]:
    """Publish a command with this id; returns its reply."""
    await kafka.publish(**command, command_id=command_id)
    [reply] = await kafka.replies_to(command_id)
    return reply


async def reply_values(kafka: KafkaUser, command_id: str, count: int) -> set[bytes]:
    """The distinct values of the first `count` replies to a command."""
    records = await kafka.records(
        "checkout.replies", lambda r: header(r, "ce_causationid") == command_id, count
    )
    assert len({header(record, "ce_id") for record in records}) == len({r.value for r in records})
    return {record.value for record in records}


async def versions_of(kafka: KafkaUser, checkout_id: str) -> list[int]:
    """Cancel the checkout, so that all earlier events are published; returns the published versions."""
    last = await kafka.request("CancelCheckout", checkout_id, None)
    events = await kafka.events_of(checkout_id, last["version"])
    all_events = await read_all(kafka.bootstrap, "checkout.events")
    assert len([e for e in all_events if header(e, "ce_subject") == checkout_id]) == len(events)
    return [int(header(event, "ce_sequence") or 0) for event in events]


async def test_a_command_published_five_times_takes_effect_once_and_gets_five_equal_replies(
    kafka: KafkaUser,
):
    checkout_id, command_id = new_id(), new_id()
    await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)

    for quantity in (2, 7):
        # The checkout changes between the repeats; the reply stays the first one.
        await kafka.request(
            "UpdateCheckout", checkout_id, {"items": [{"id": "item_456", "quantity": quantity}]}
        )
        for _ in range(2):
            await kafka.publish("UpdateCheckout", checkout_id, TWO, command_id)
    await kafka.publish("UpdateCheckout", checkout_id, TWO, command_id)

    [value] = await reply_values(kafka, command_id, 5)
    assert json.loads(value)["version"] == 7
    assert json.loads(value)["checkout"]["line_items"][0]["item"] == TWO["items"][0]
    assert await versions_of(kafka, checkout_id) == [*range(1, 11)]


async def test_a_rejection_is_repeated_even_if_the_command_would_now_be_accepted(
    kafka: KafkaUser,
):
    checkout_id, command_id = new_id(), new_id()
    update = {"command_type": "UpdateCheckout", "checkout_id": checkout_id, "body": TWO}
    first = await first_reply(kafka, command_id, **update)
    assert first["error"]["code"] == "not_found"
    await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)

    for _ in range(4):
        await kafka.publish(**update, command_id=command_id)

    [value] = await reply_values(kafka, command_id, 5)
    assert json.loads(value) == first
    assert await versions_of(kafka, checkout_id) == [1, 2, 3, 4]


async def test_a_malformed_command_gets_the_same_rejection_each_time(kafka: KafkaUser):
    raw = replace(valid_command(), value=b'{"items": ')

    for _ in range(3):
        await publish_raw(kafka, raw)

    [value] = await reply_values(kafka, raw.command_id, 3)
    assert json.loads(value)["error"]["code"] == "invalid"


async def test_equal_json_in_another_spelling_is_the_same_command(kafka: KafkaUser):
    checkout_id, command_id = new_id(), new_id()
    headers = valid_command().headers
    body = b'{ "items" : [ {"quantity":1, "id":"item\\u005f123"} ] }'

    await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM, command_id)
    changes = {"ce_subject": checkout_id.encode(), "ce_id": command_id.encode()}
    spelled = replace(
        valid_command(),
        key=checkout_id.encode(),
        value=body,
        headers=[(name, changes.get(name, old)) for name, old in headers],
    )
    await publish_raw(kafka, spelled)

    [value] = await reply_values(kafka, command_id, 2)
    assert json.loads(value)["version"] == 3


OTHERS: dict[str, dict[str, Any]] = {
    "body": {"body": TWO},
    "type": {"command_type": "CreateCheckout"},
    "subject": {"checkout_id": new_id()},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
async def test_an_identity_reused_for_another_command_is_rejected(
    kafka: KafkaUser, other: dict[str, Any]
):
    command_id = new_id()
    command = {"command_type": "UpdateCheckout", "checkout_id": new_id(), "body": ONE_ITEM}
    await kafka.request("CreateCheckout", command["checkout_id"], TWO)
    first = await first_reply(kafka, command_id, **command)
    assert "checkout" in first

    await kafka.publish(**command | other, command_id=command_id)
    await kafka.publish(**command, command_id=command_id)

    values = await reply_values(kafka, command_id, 3)
    replies = [json.loads(value) for value in values]
    [conflict] = [reply for reply in replies if "error" in reply]
    assert [reply for reply in replies if reply != conflict] == [first]
    assert conflict["error"]["code"] == CONFLICT
    assert conflict["error"]["type"] == "invalid_request"


async def test_the_same_id_from_another_source_is_another_command(kafka: KafkaUser):
    command_id = new_id()
    create = {"command_type": "CreateCheckout", "checkout_id": new_id(), "body": ONE_ITEM}
    first = await first_reply(kafka, command_id, **create)
    await kafka.publish("CreateCheckout", new_id(), TWO, command_id, ce_source="/tests/another")

    values = [json.loads(value) for value in await reply_values(kafka, command_id, 2)]

    assert first in values
    assert {value["command_source"] for value in values} == {"/tests/shop", "/tests/another"}
    assert all("checkout" in value for value in values)


async def test_a_create_published_twenty_times_concurrently_creates_one_checkout(kafka: KafkaUser):
    checkout_id, command_id = new_id(), new_id()

    await asyncio.gather(
        *(kafka.publish("CreateCheckout", checkout_id, ONE_ITEM, command_id) for _ in range(20))
    )

    [value] = await reply_values(kafka, command_id, 20)
    assert json.loads(value)["version"] == 3
    assert await versions_of(kafka, checkout_id) == [1, 2, 3, 4]
