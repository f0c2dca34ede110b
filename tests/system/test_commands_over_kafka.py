"""Commands as another service publishes them, in either mode of CloudEvents, and what GET shows."""

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.system.kafka_records import ONE_ITEM, Raw, as_structured, publish_raw, structured
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

Record = Callable[[str, str, str, Any], Raw]


def binary(command_type: str, checkout_id: str, command_id: str, body: Any) -> Raw:
    headers = command_headers(command_type, checkout_id, command_id)
    return Raw(checkout_id.encode(), json.dumps(body).encode(), headers, command_id)


def structured_json(command_type: str, checkout_id: str, command_id: str, body: Any) -> Raw:
    event = structured(command_type, checkout_id, command_id, data=body)
    return as_structured(event, checkout_id, command_id)


def structured_base64(command_type: str, checkout_id: str, command_id: str, body: Any) -> Raw:
    encoded = base64.b64encode(json.dumps(body).encode()).decode()
    event = structured(
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
    return as_structured(event, checkout_id, command_id, content_type)


Ask = Callable[[str, str, Any], Awaitable[dict[str, Any]]]


@pytest.fixture(params=[binary, structured_json, structured_base64])
def ask(request: pytest.FixtureRequest, kafka: KafkaUser) -> Ask:
    """Publishes a command in one of the modes and returns the data of its reply."""
    record: Record = request.param

    async def publish(command_type: str, checkout_id: str, body: Any) -> dict[str, Any]:
        command_id = new_id()
        await publish_raw(kafka, record(command_type, checkout_id, command_id, body))
        [reply] = await kafka.replies_to(command_id)
        return reply

    return publish


async def test_a_created_checkout_is_accepted_as_get_shows_it(http: httpx.AsyncClient, ask: Ask):
    checkout_id = new_id()

    reply = await ask("CreateCheckout", checkout_id, ONE_ITEM | {"fulfillment_address": ADDRESS})

    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert shown.status_code == 200
    assert reply["checkout_id"] == checkout_id
    assert reply["checkout"] == shown.json()
    assert shown.headers["etag"] == f'"{reply["version"]}"'
    assert shown.json()["id"] == checkout_id
    assert shown.json()["status"] == "ready_for_payment"
    assert shown.json()["fulfillment_address"] == ADDRESS


async def test_an_updated_checkout_is_accepted_as_get_shows_it(http: httpx.AsyncClient, ask: Ask):
    checkout_id = new_id()
    before = await ask("CreateCheckout", checkout_id, ONE_ITEM)

    reply = await ask("UpdateCheckout", checkout_id, UPDATE)

    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert reply["checkout"] == shown.json()
    assert reply["version"] > before["version"]
    assert [line["item"] for line in shown.json()["line_items"]] == UPDATE["items"]
    assert shown.json()["fulfillment_address"] == ADDRESS


async def test_a_canceled_checkout_is_accepted_as_get_shows_it(http: httpx.AsyncClient, ask: Ask):
    checkout_id = new_id()
    await ask("CreateCheckout", checkout_id, ONE_ITEM)

    reply = await ask("CancelCheckout", checkout_id, CANCEL)

    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert reply["checkout"] == shown.json()
    assert shown.json()["status"] == "canceled"
    assert [message["content"] for message in shown.json()["messages"]] == [
        "Checkout cancelled: No more 🛒"
    ]


async def test_a_refused_command_changes_nothing_and_is_told_why(
    http: httpx.AsyncClient, kafka: KafkaUser, ask: Ask
):
    checkout_id = new_id()
    accepted = await ask("CreateCheckout", checkout_id, ONE_ITEM)

    refused = await ask("UpdateCheckout", checkout_id, {"items": [{"id": "no", "quantity": 1}]})

    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert refused["error"]["code"] == "invalid"
    assert refused["error"]["param"] == "$.items[0].id"
    assert shown.json() == accepted["checkout"]
    assert len(await kafka.events_of(checkout_id, accepted["version"])) == accepted["version"]


async def test_both_doors_write_one_history_without_a_hole(
    http: httpx.AsyncClient, kafka: KafkaUser
):
    checkout_id = new_id()
    path = f"/v1/checkouts/{checkout_id}"
    await kafka.ask("CreateCheckout", checkout_id, ONE_ITEM)
    for quantity in range(2, 7):
        body = {"items": [{"id": "item_123", "quantity": quantity}]}
        if quantity % 2:
            await kafka.ask("UpdateCheckout", checkout_id, body)
        else:
            assert (await http.put(path, json=body)).status_code == 200
    last = await kafka.ask("CancelCheckout", checkout_id, None)

    events = await kafka.events_of(checkout_id, last["version"])

    assert [header(event, "ce_id") for event in events] == [
        f"{checkout_id}:{version}" for version in range(1, last["version"] + 1)
    ]
    assert len({event.partition for event in events}) == 1
    doors = {header(event, "ce_causationsource") for event in events}
    assert len(doors) > 1
    assert header(events[-1], "ce_type") == "checkout.CheckoutCanceled"
