"""The exact headers and values of events and replies."""

import json
from datetime import datetime
from typing import Any

import httpx
from aiokafka import ConsumerRecord

from services.security.api_keys import Scope
from tests.system.dev_process import DevProcess
from tests.system.http_user import create_api_key
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import SOURCE, KafkaUser, header, new_id

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SCHEMA_VERSION = {"CheckoutCreated": 1, "ItemsUpdated": 1, "CheckoutPriced": 2}
CREATED = list(SCHEMA_VERSION)
MANY = 200


def headers_of(record: ConsumerRecord) -> dict[str, str]:
    """The headers as text; each name must occur once."""
    headers = {name: value.decode() for name, value in record.headers}
    assert len(headers) == len(record.headers)
    return headers


def without_time(headers: dict[str, str]) -> dict[str, str]:
    """The headers without `ce_time`, which must be in UTC."""
    at = datetime.fromisoformat(headers["ce_time"])
    assert at.utcoffset() is not None
    assert headers["ce_time"].endswith("Z")
    return {name: value for name, value in headers.items() if name != "ce_time"}


async def reply_record(kafka: KafkaUser, command_id: str) -> ConsumerRecord:
    [record] = await kafka.records(
        "checkout.replies", lambda r: header(r, "ce_causationid") == command_id, 1
    )
    return record


async def test_events_have_exactly_the_contracts_headers(kafka: KafkaUser):
    checkout_id = new_id()
    command_id = await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM)

    events = await kafka.events_of(checkout_id, len(CREATED))

    for version, (name, event) in enumerate(zip(CREATED, events, strict=True), start=1):
        assert event.key == checkout_id.encode()
        assert without_time(headers_of(event)) == {
            "ce_specversion": "1.0",
            "ce_type": f"checkout.{name}",
            "ce_source": "/checkout",
            "ce_id": f"{checkout_id}:{version}",
            "ce_subject": checkout_id,
            "ce_sequence": f"{version:020d}",
            "ce_correlationid": command_id,
            "ce_causationid": command_id,
            "ce_causationsource": SOURCE,
            "ce_actor": SOURCE,
            "ce_dataschema": f"urn:checkout:{name}:{SCHEMA_VERSION[name]}",
            "content-type": "application/json",
        }


async def test_an_acceptance_has_exactly_the_contracts_headers_and_fields(
    kafka: KafkaUser, http: httpx.AsyncClient
):
    checkout_id = new_id()
    command_id = await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM)

    reply = await reply_record(kafka, command_id)

    assert_reply(reply, "CommandAccepted", checkout_id, command_id)
    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert json.loads(reply.value) == {
        "command_id": command_id,
        "command_source": SOURCE,
        "checkout_id": checkout_id,
        "version": len(CREATED),
        "checkout": shown.json(),
    }


async def test_a_rejection_has_exactly_the_contracts_headers_and_fields(
    kafka: KafkaUser,
):
    checkout_id = new_id()
    command_id = await kafka.publish("CreateCheckout", checkout_id, {"items": []})

    reply = await reply_record(kafka, command_id)

    assert_reply(reply, "CommandRejected", checkout_id, command_id)
    data = json.loads(reply.value)
    assert isinstance(data["error"].pop("message"), str)
    assert data == {
        "command_id": command_id,
        "command_source": SOURCE,
        "checkout_id": checkout_id,
        "error": {"type": "invalid_request", "code": "invalid", "param": "$.items"},
    }


def assert_reply(reply: ConsumerRecord, name: str, checkout_id: str, command_id: str) -> None:
    headers = without_time(headers_of(reply))
    assert reply.key == checkout_id.encode()
    assert headers.pop("ce_id")
    assert headers == {
        "ce_specversion": "1.0",
        "ce_type": f"checkout.{name}",
        "ce_source": "/checkout",
        "ce_subject": checkout_id,
        "ce_correlationid": command_id,
        "ce_causationid": command_id,
        "ce_causationsource": SOURCE,
        "content-type": "application/json",
    }


async def test_events_and_reply_carry_the_commands_correlation_id_and_trace(
    kafka: KafkaUser,
):
    checkout_id = new_id()
    more: dict[str, Any] = {"ce_correlationid": "order 7 ☂", "traceparent": TRACEPARENT}
    command_id = await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM, **more)

    events = await kafka.events_of(checkout_id, len(CREATED))
    reply = await reply_record(kafka, command_id)

    for record in (*events, reply):
        assert header(record, "ce_correlationid") == "order 7 ☂"
        assert header(record, "traceparent") == TRACEPARENT
        assert header(record, "ce_causationid") == command_id


async def test_an_event_caused_over_http_has_the_api_keys_name_as_actor(
    kafka: KafkaUser, dev: DevProcess
):
    name, token = create_api_key(dev, Scope.READ, Scope.WRITE)
    async with dev.client(token) as http:
        answer = await http.post("/v1/checkouts", json=ONE_ITEM)
    assert answer.status_code == 201

    events = await kafka.events_of(answer.json()["id"], len(CREATED))

    assert {header(event, "ce_actor") for event in events} == {name}
    assert all(header(event, "ce_causationid") for event in events)
    assert not any(token in str(event) for event in events)


async def test_versions_arrive_in_order_without_gaps_under_concurrent_writes(kafka: KafkaUser):
    checkouts = [new_id() for _ in range(5)]
    for checkout_id in checkouts:
        await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM)
    for number in range(MANY):
        quantity = {"items": [{"id": "item_123", "quantity": number + 2}]}
        await kafka.publish("UpdateCheckout", checkouts[number % 5], quantity)

    expected = len(CREATED) + MANY // 5 * 2

    for checkout_id in checkouts:
        events = await kafka.events_of(checkout_id, expected)
        assert [header(event, "ce_sequence") for event in events] == [
            f"{version:020d}" for version in range(1, expected + 1)
        ]
        times = [datetime.fromisoformat(header(event, "ce_time") or "") for event in events]
        assert times == sorted(times)
