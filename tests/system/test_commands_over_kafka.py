"""Commands published in binary and structured mode take effect, and GET shows the result."""

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.system.kafka_records import (
    ONE_ITEM,
    RawRecord,
    publish_raw,
    structured_command,
    structured_record,
)
from tests.system.kafka_user import KafkaUser, command_headers, header, new_id

ADDRESS = {
    "name": "Zoë 🚀",
    "line_one": "456 Oak Ave",
    "city": "Los Angeles",
    "state": "CA",
    "country": "US",
    "postal_code": "90210",
}
UPDATE = {"items": [{"id": "item_456", "quantity": 3}], "fulfillment_address": ADDRESS}
CANCEL = {"reason": "customer_requested", "message": "No more 🛒"}

Record = Callable[[str, str, str, Any], RawRecord]


def binary(command_type: str, checkout_id: str, command_id: str, body: Any) -> RawRecord:
    headers = command_headers(command_type, checkout_id, command_id)
    return RawRecord(checkout_id.encode(), json.dumps(body).encode(), headers, command_id)


def structured_json(command_type: str, checkout_id: str, command_id: str, body: Any) -> RawRecord:
    event = structured_command(command_type, checkout_id, command_id, data=body)
    return structured_record(event, checkout_id, command_id)


def structured_base64(command_type: str, checkout_id: str, command_id: str, body: Any) -> RawRecord:
    encoded = base64.b64encode(json.dumps(body).encode()).decode()
    event = structured_command(
        command_type,
        checkout_id,
        command_id,
        data_base64=encoded,
        datacontenttype="application/json; charset=utf-8",
        time="2026-11-22T00:00:00Z",
        comment=None,
        expectedversion=None,
    )
    content_type = "application/cloudevents+json; charset=UTF-8"
    return structured_record(event, checkout_id, command_id, content_type)


SendCommand = Callable[[str, str, Any], Awaitable[dict[str, Any]]]


@pytest.fixture(params=[binary, structured_json, structured_base64])
def send_command(request: pytest.FixtureRequest, kafka: KafkaUser) -> SendCommand:
    """A function that publishes a command in one of the modes and returns the data of its reply."""
    record: Record = request.param

    async def publish(command_type: str, checkout_id: str, body: Any) -> dict[str, Any]:
        command_id = new_id()
        await publish_raw(kafka, record(command_type, checkout_id, command_id, body))
        [reply] = await kafka.replies_to(command_id)
        return reply

    return publish


async def test_the_reply_to_a_create_holds_the_checkout_that_get_shows(
    http: httpx.AsyncClient, send_command: SendCommand
):
    checkout_id = new_id()

    reply = await send_command(
        "CreateCheckout", checkout_id, ONE_ITEM | {"fulfillment_address": ADDRESS}
    )

    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert shown.status_code == 200
    assert reply["checkout_id"] == checkout_id
    assert reply["checkout"] == shown.json()
    assert shown.headers["etag"] == f'"{reply["version"]}"'
    assert shown.json()["id"] == checkout_id
    assert shown.json()["status"] == "ready_for_payment"
    assert shown.json()["fulfillment_address"] == ADDRESS


async def test_the_reply_to_an_update_holds_the_checkout_that_get_shows(
    http: httpx.AsyncClient, send_command: SendCommand
):
    checkout_id = new_id()
    before = await send_command("CreateCheckout", checkout_id, ONE_ITEM)

    reply = await send_command("UpdateCheckout", checkout_id, UPDATE)

    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert reply["checkout"] == shown.json()
    assert reply["version"] > before["version"]
    assert [line["item"] for line in shown.json()["line_items"]] == UPDATE["items"]
    assert shown.json()["fulfillment_address"] == ADDRESS


async def test_the_reply_to_a_cancel_holds_the_checkout_that_get_shows(
    http: httpx.AsyncClient, send_command: SendCommand
):
    checkout_id = new_id()
    await send_command("CreateCheckout", checkout_id, ONE_ITEM)

    reply = await send_command("CancelCheckout", checkout_id, CANCEL)

    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert reply["checkout"] == shown.json()
    assert shown.json()["status"] == "canceled"
    assert [message["content"] for message in shown.json()["messages"]] == [
        "Checkout cancelled: No more 🛒"
    ]


async def test_a_rejected_command_changes_nothing_and_gets_the_reason(
    http: httpx.AsyncClient, kafka: KafkaUser, send_command: SendCommand
):
    checkout_id = new_id()
    accepted = await send_command("CreateCheckout", checkout_id, ONE_ITEM)

    rejected = await send_command(
        "UpdateCheckout", checkout_id, {"items": [{"id": "no", "quantity": 1}]}
    )

    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert rejected["error"]["code"] == "invalid"
    assert rejected["error"]["param"] == "$.items[0].id"
    assert shown.json() == accepted["checkout"]
    assert len(await kafka.events_of(checkout_id, accepted["version"])) == accepted["version"]


async def test_commands_over_http_and_kafka_form_one_history_without_gaps(
    http: httpx.AsyncClient, kafka: KafkaUser
):
    checkout_id = new_id()
    path = f"/v1/checkouts/{checkout_id}"
    await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)
    for quantity in range(2, 7):
        body = {"items": [{"id": "item_123", "quantity": quantity}]}
        if quantity % 2:
            await kafka.request("UpdateCheckout", checkout_id, body)
        else:
            assert (await http.put(path, json=body)).status_code == 200
    last = await kafka.request("CancelCheckout", checkout_id, None)

    events = await kafka.events_of(checkout_id, last["version"])

    assert [header(event, "ce_id") for event in events] == [
        f"{checkout_id}:{version}" for version in range(1, last["version"] + 1)
    ]
    assert len({event.partition for event in events}) == 1
    sources = {header(event, "ce_causationsource") for event in events}
    assert len(sources) > 1
    assert header(events[-1], "ce_type") == "checkout.CheckoutCanceled"
