"""The official CloudEvents SDK reads our messages, and we read its messages."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from aiokafka import ConsumerRecord
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import (
    KafkaMessage,
    from_binary_event,
    from_kafka_event,
    to_binary_event,
    to_structured_event,
)
from cloudevents.core.v1.event import CloudEvent

from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import SOURCE, KafkaUser, header, new_id

Encode = Callable[[BaseCloudEvent], KafkaMessage]
SCHEMA_VERSION = {"CheckoutCreated": 1, "ItemsUpdated": 1, "CheckoutPriced": 2}
CREATED = list(SCHEMA_VERSION)


def parse(record: ConsumerRecord) -> BaseCloudEvent:
    return from_kafka_event(KafkaMessage(dict(record.headers), record.key, record.value))


def command(checkout_id: str, data: Any, **more: Any) -> CloudEvent:
    attributes = {
        "id": new_id(),
        "source": SOURCE,
        "type": "checkout.CreateCheckout",
        "subject": checkout_id,
        "datacontenttype": "application/json",
        "partitionkey": checkout_id,
    }
    return CloudEvent(attributes | more, data)


async def publish(kafka: KafkaUser, message: KafkaMessage) -> None:
    assert isinstance(message.key, str)
    await kafka.producer.send_and_wait(
        "checkout.commands",
        message.value,
        key=message.key.encode(),
        headers=list(message.headers.items()),
    )


async def reply_to(kafka: KafkaUser, event: CloudEvent) -> BaseCloudEvent:
    """The reply to a command, parsed by the SDK."""
    [record] = await kafka.records(
        "checkout.replies", lambda r: header(r, "ce_causationid") == event.get_id(), 1
    )
    return parse(record)


async def test_the_sdk_parses_our_events(kafka: KafkaUser):
    checkout_id = new_id()
    command_id = await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM)

    records = await kafka.events_of(checkout_id, len(CREATED))

    for version, (name, record) in enumerate(zip(CREATED, records, strict=True), start=1):
        event = parse(record)
        assert event.get_specversion() == "1.0"
        assert event.get_type() == f"checkout.{name}"
        assert event.get_source() == "/checkout"
        assert event.get_id() == f"{checkout_id}:{version}"
        assert event.get_subject() == checkout_id
        assert event.get_datacontenttype() == "application/json"
        assert event.get_dataschema() == f"urn:checkout:{name}:{SCHEMA_VERSION[name]}"
        at = event.get_time()
        assert at is not None
        assert abs(datetime.now(UTC) - at).total_seconds() < 60
        assert event.get_extension("sequence") == f"{version:020d}"
        assert event.get_extension("causationid") == command_id
        assert event.get_data() == json.loads(record.value)


async def test_the_sdk_serializes_our_events_as_we_do(kafka: KafkaUser):
    checkout_id = new_id()
    await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM)
    [record, *_] = await kafka.events_of(checkout_id, len(CREATED))

    written = to_binary_event(parse(record))

    published = {name: value.decode() for name, value in record.headers}
    written_headers = {name: value.decode() for name, value in written.headers.items()}
    assert written_headers.pop("ce_partitionkey") == checkout_id
    assert written_headers == published
    assert json.loads(written.value) == json.loads(record.value)


@pytest.mark.parametrize("encode", [to_binary_event, to_structured_event])
async def test_a_command_built_by_the_sdk_is_accepted(
    kafka: KafkaUser, http: httpx.AsyncClient, encode: Encode
):
    checkout_id = new_id()
    event = command(checkout_id, ONE_ITEM, correlationid="order 7")

    await publish(kafka, encode(event))

    reply = await reply_to(kafka, event)
    data = reply.get_data()
    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert isinstance(data, dict)
    assert reply.get_type() == "checkout.CommandAccepted"
    assert reply.get_subject() == checkout_id
    assert reply.get_extension("correlationid") == "order 7"
    assert data["checkout"] == shown.json()


@pytest.mark.parametrize("encode", [to_binary_event, to_structured_event])
async def test_data_that_the_sdk_sends_as_bytes_is_read_as_json(kafka: KafkaUser, encode: Encode):
    """In structured mode the SDK writes bytes as `data_base64`."""
    event = command(new_id(), json.dumps(ONE_ITEM).encode())

    await publish(kafka, encode(event))

    assert (await reply_to(kafka, event)).get_type() == "checkout.CommandAccepted"


@pytest.mark.parametrize("encode", [to_binary_event, to_structured_event])
async def test_a_cancel_command_without_data_is_accepted(kafka: KafkaUser, encode: Encode):
    checkout_id = new_id()
    await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)
    event = command(checkout_id, None, type="checkout.CancelCheckout")

    await publish(kafka, encode(event))

    data = (await reply_to(kafka, event)).get_data()
    assert isinstance(data, dict)
    assert data["checkout"]["status"] == "canceled"


@pytest.mark.parametrize("encode", [to_binary_event, to_structured_event])
async def test_the_sdk_parses_a_rejection(kafka: KafkaUser, encode: Encode):
    event = command(new_id(), {"items": []})

    await publish(kafka, encode(event))

    reply = await reply_to(kafka, event)
    data = reply.get_data()
    assert isinstance(data, dict)
    assert reply.get_type() == "checkout.CommandRejected"
    assert reply.get_extension("causationsource") == SOURCE
    assert data["error"]["param"] == "$.items"


async def test_the_sdk_parses_a_reply_in_binary_mode(kafka: KafkaUser):
    event = command(new_id(), ONE_ITEM)
    await publish(kafka, to_binary_event(event))
    [record] = await kafka.records(
        "checkout.replies", lambda r: header(r, "ce_causationid") == event.get_id(), 1
    )

    read = from_binary_event(KafkaMessage(dict(record.headers), record.key, record.value))

    assert read.get_attributes() == parse(record).get_attributes()
