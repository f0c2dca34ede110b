"""The official CloudEvents SDK understands what we send, and we what it sends."""

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
CREATED = ["CheckoutCreated", "ItemsUpdated", "CheckoutPriced"]


def parsed(record: ConsumerRecord) -> BaseCloudEvent:
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
    """The reply to a command, as the SDK reads it."""
    [record] = await kafka.records(
        "checkout.replies", lambda r: header(r, "ce_causationid") == event.get_id(), 1
    )
    return parsed(record)


async def test_the_sdk_parses_our_events(kafka: KafkaUser):
    checkout_id = new_id()
    command_id = await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM)

    records = await kafka.events_of(checkout_id, len(CREATED))

    for version, (name, record) in enumerate(zip(CREATED, records, strict=True), start=1):
        event = parsed(record)
        assert event.get_specversion() == "1.0"
        assert event.get_type() == f"checkout.{name}"
        assert event.get_source() == "/checkout"
        assert event.get_id() == f"{checkout_id}:{version}"
        assert event.get_subject() == checkout_id
        assert event.get_datacontenttype() == "application/json"
        assert event.get_dataschema() == f"urn:checkout:{name}:1"
        at = event.get_time()
        assert at is not None
        assert abs(datetime.now(UTC) - at).total_seconds() < 60
        assert event.get_extension("sequence") == f"{version:020d}"
        assert event.get_extension("causationid") == command_id
        assert event.get_data() == json.loads(record.value)


async def test_the_sdk_writes_our_events_as_we_did(kafka: KafkaUser):
    checkout_id = new_id()
    await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM)
    [record, *_] = await kafka.events_of(checkout_id, len(CREATED))

    written = to_binary_event(parsed(record))

    ours = {name: value.decode() for name, value in record.headers}
    theirs = {name: value.decode() for name, value in written.headers.items()}
    assert theirs.pop("ce_partitionkey") == checkout_id
    assert theirs == ours
    assert json.loads(written.value) == json.loads(record.value)


@pytest.mark.parametrize("encode", [to_binary_event, to_structured_event])
async def test_a_command_made_by_the_sdk_is_accepted(
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
async def test_bytes_from_the_sdk_are_read_as_the_json_they_are(kafka: KafkaUser, encode: Encode):
    """In structured mode the SDK writes bytes as `data_base64`."""
    event = command(new_id(), json.dumps(ONE_ITEM).encode())

    await publish(kafka, encode(event))

    assert (await reply_to(kafka, event)).get_type() == "checkout.CommandAccepted"


@pytest.mark.parametrize("encode", [to_binary_event, to_structured_event])
async def test_a_command_without_data_cancels(kafka: KafkaUser, encode: Encode):
    checkout_id = new_id()
    await kafka.ask("CreateCheckout", checkout_id, ONE_ITEM)
    event = command(checkout_id, None, type="checkout.CancelCheckout")

    await publish(kafka, encode(event))

    data = (await reply_to(kafka, event)).get_data()
    assert isinstance(data, dict)
    assert data["checkout"]["status"] == "canceled"


@pytest.mark.parametrize("encode", [to_binary_event, to_structured_event])
async def test_a_rejection_of_the_sdks_command_is_parsed_by_the_sdk(
    kafka: KafkaUser, encode: Encode
):
    event = command(new_id(), {"items": []})

    await publish(kafka, encode(event))

    reply = await reply_to(kafka, event)
    data = reply.get_data()
    assert isinstance(data, dict)
    assert reply.get_type() == "checkout.CommandRejected"
    assert reply.get_extension("causationsource") == SOURCE
    assert data["error"]["param"] == "$.items"


async def test_the_sdks_reader_of_binary_mode_takes_a_reply(kafka: KafkaUser):
    event = command(new_id(), ONE_ITEM)
    await publish(kafka, to_binary_event(event))
    [record] = await kafka.records(
        "checkout.replies", lambda r: header(r, "ce_causationid") == event.get_id(), 1
    )

    read = from_binary_event(KafkaMessage(dict(record.headers), record.key, record.value))

    assert read.get_attributes() == parsed(record).get_attributes()
