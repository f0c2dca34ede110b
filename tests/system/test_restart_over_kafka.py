"""`checkout dev`, restarted on the same data with a new broker, keeps events and outcomes."""

import json
import signal
from pathlib import Path

import pytest

from tests.system.dev_process import DevProcess
from tests.system.kafka_records import ONE_ITEM, read_all
from tests.system.kafka_user import KafkaUser, header, kafka_user, new_id

TWO = {"items": [{"id": "item_123", "quantity": 2}]}
CHECKOUTS = 30


async def create_checkouts(kafka: KafkaUser) -> dict[str, int]:
    """Create checkouts and update or cancel each; returns their versions by id."""
    versions = {}
    for number in range(CHECKOUTS):
        checkout_id = new_id()
        command_type = "UpdateCheckout" if number % 2 else "CancelCheckout"
        await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM)
        command_id = await kafka.publish(command_type, checkout_id, TWO if number % 2 else None)
        [reply] = await kafka.replies_to(command_id)
        versions[checkout_id] = reply["version"]
    return versions


async def events_by_checkout(kafka: KafkaUser, count: int) -> dict[str, list[tuple[str, bytes]]]:
    """Ids and values of all events, in order for each checkout."""
    await kafka.records("checkout.events", lambda _: True, count)
    events: dict[str, list[tuple[str, bytes]]] = {}
    for record in await read_all(kafka.bootstrap, "checkout.events"):
        published = events.setdefault(header(record, "ce_subject") or "", [])
        published.append((header(record, "ce_id") or "", record.value))
    return events


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_command_repeated_after_a_restart_gets_the_first_reply_and_has_no_effect(
    tmp_path: Path, number: signal.Signals
):
    checkout_id, command_id, rejected_id = new_id(), new_id(), new_id()
    before = DevProcess.start(tmp_path)
    try:
        async with kafka_user(before.kafka) as kafka:
            await kafka.publish("UpdateCheckout", checkout_id, TWO, rejected_id)
            await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM, command_id)
            first_replies = [
                (await kafka.replies_to(sent))[0] for sent in (rejected_id, command_id)
            ]
            await kafka.request("UpdateCheckout", checkout_id, TWO)
            versions = await create_checkouts(kafka) | {checkout_id: 5}
            published = await events_by_checkout(kafka, sum(versions.values()))
    finally:
        before.stop(number)

    after = DevProcess.start(tmp_path)
    try:
        async with kafka_user(after.kafka) as kafka, after.client() as http:
            await kafka.publish("UpdateCheckout", checkout_id, TWO, rejected_id)
            await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM, command_id)
            repeated_replies = [
                (await kafka.replies_to(sent))[0] for sent in (rejected_id, command_id)
            ]
            published_again = await events_by_checkout(kafka, sum(versions.values()))
            shown = await http.get(f"/v1/checkouts/{checkout_id}")
    finally:
        assert after.stop() == 0

    assert [json.dumps(reply) for reply in repeated_replies] == [
        json.dumps(reply) for reply in first_replies
    ]
    assert first_replies[0]["error"]["code"] == "not_found"
    assert shown.headers["etag"] == '"5"'
    assert published_again == published
    assert {
        checkout: [event_id for event_id, _ in events] for checkout, events in published.items()
    } == {
        checkout: [f"{checkout}:{version}" for version in range(1, last + 1)]
        for checkout, last in versions.items()
    }
