"""An invalid command with a readable identity gets a rejection and does not block the next command."""

import json

import pytest

from tests.system.kafka_records import (
    ONE_ITEM,
    RawRecord,
    is_accepted,
    publish_raw,
    read_all,
    valid_command,
)
from tests.system.kafka_user import KafkaUser, header
from tests.system.record_variants import (
    RecordFactory,
    with_event,
    with_event_text,
    with_header,
    with_key,
    with_second_header,
    with_value,
    without_header,
)

DEEP = b"[" * 450_000 + b"]" * 450_000
AT_PYTHONS_LIMIT = b"[" * 989 + b"]" * 989
DUPLICATE_KEY = b'{"items":[],"items":[{"id":"item_123","quantity":1}]}'
HUGE = b'{"items":[{"id":"item_123","quantity":1%s}]}' % (b"0" * 400)
BATCH = b"application/cloudevents-batch+json"
AN_ID = "i" * 50_000

BODIES: dict[str, tuple[RecordFactory, str]] = {
    "null": (with_value(None), "$"),
    "null to an update": (with_value(None, "UpdateCheckout"), "$"),
    "empty": (with_value(b""), "$"),
    "an array": (with_value(b"[1]"), "$"),
    "JSON null": (with_value(b"null"), "$"),
    "half of a JSON": (with_value(b'{"items": '), "$"),
    "two JSONs": (with_value(b"{}{}"), "$"),
    "900 kB of nesting": (with_value(DEEP), "$"),
    "nesting at Python's limit": (with_value(AT_PYTHONS_LIMIT), "$"),
    "a key twice": (with_value(DUPLICATE_KEY), "$.items"),
    "NaN": (with_value(b'{"items": NaN}'), "$"),
    "infinity": (with_value(b'{"items":[{"id":"item_123","quantity":1e999}]}'), "$"),
    "a lone surrogate": (with_value(b'{"buyer": "\\ud83d"}'), "$"),
    "not UTF-8": (with_value(b'{"buyer": "\xff"}'), "$"),
    "UTF-16": (with_value(json.dumps(ONE_ITEM).encode("utf-16")), "$"),
    "a huge integer": (with_value(HUGE), "$.items[0].quantity"),
    "an integer beyond reading": (with_value(b'{"items": 1%s}' % (b"0" * 9_000)), "$"),
    "an unknown field": (with_value(b'{"itemz": []}'), "$.items"),
    "an unknown field of a cancel": (with_value(b'{"why": "so"}', "CancelCheckout"), "$.why"),
    "structured, a text": (with_event(data="{}"), "$"),
    "structured, null": (with_event(data=None), "$"),
    "structured, NaN": (with_event(data=float("nan")), "$"),
    "structured, a lone surrogate": (with_event(data={"buyer": "\ud83d"}), "$"),
    "structured, not UTF-8": (with_event_text(b"here", b"\xff\xfe", data="here"), "$"),
    "structured, a key twice": (with_event_text(b'"here"', DUPLICATE_KEY, data="here"), "$.items"),
    "structured, no base64": (with_event(data_base64="{}", data=None), "$.data_base64"),
    "structured, base64 of no text": (with_event(data_base64=7, data=None), "$.data_base64"),
    "structured, data twice": (with_event(data_base64="e30="), "$.data_base64"),
}

ENVELOPES: dict[str, tuple[RecordFactory, str]] = {
    "null key": (with_key(None), "$.subject"),
    "empty key": (with_key(b""), "$.subject"),
    "key that is not the subject": (with_key(b"another"), "$.subject"),
    "binary key": (with_key(b"\xff\xfe"), "$.subject"),
    "unknown type": (with_header("ce_type", b"checkout.ExplodeCheckout"), "$.type"),
    "type without its prefix": (with_header("ce_type", b"CreateCheckout"), "$.type"),
    "an event's type": (with_header("ce_type", b"checkout.CheckoutCreated"), "$.type"),
    "long id": (with_header("ce_id", b"%010000d" % 7), "$.id"),
    "longest id that can be answered": (with_header("ce_id", AN_ID.encode()), "$.id"),
    "id of control characters": (with_header("ce_id", b"\x01" * 50_000), "$.id"),
    "id of emoji": (with_header("ce_id", ("🛒" * 10_000).encode()), "$.id"),
    "long source": (with_header("ce_source", b"s" * 10_000), "$.source"),
    "wrong specversion": (with_header("ce_specversion", b"0.3"), "$.specversion"),
    "no specversion": (without_header("ce_specversion"), "$.specversion"),
    "null specversion": (with_header("ce_specversion", None), "$.specversion"),
    "word for a version": (with_header("ce_expectedversion", b"latest"), "$.expectedversion"),
    "negative version": (with_header("ce_expectedversion", b"-1"), "$.expectedversion"),
    "version in other digits": (
        with_header("ce_expectedversion", "٣".encode()),
        "$.expectedversion",
    ),
    "version too long": (with_header("ce_expectedversion", b"9" * 400), "$.expectedversion"),
    "null version": (with_header("ce_expectedversion", None), "$.expectedversion"),
    "null correlation": (with_header("ce_correlationid", None), "$.correlationid"),
    "binary correlation": (with_header("ce_correlationid", b"\xff"), "$.correlationid"),
    "long correlation": (with_header("ce_correlationid", b"c" * 501), "$.correlationid"),
    "reply to the commands": (with_header("reply-to", b"checkout.commands"), "$['reply-to']"),
    "reply to the events": (with_header("reply-to", b"checkout.events"), "$['reply-to']"),
    "reply to a likeness": (with_header("reply-to", b"checkout.repliesx"), "$['reply-to']"),
    "reply to an illegal name": (with_header("reply-to", b"checkout.replies.a b"), "$['reply-to']"),
    "null reply-to": (with_header("reply-to", None), "$['reply-to']"),
    "binary reply-to": (with_header("reply-to", b"\xff"), "$['reply-to']"),
    "two reply-tos": (with_second_header("reply-to", b""), "$['reply-to']"),
    "structured, wrong specversion": (with_event(specversion=1.0), "$.specversion"),
    "structured, float version": (with_event(expectedversion=1.5), "$.expectedversion"),
    "structured, no text": (with_event(correlationid=["c"]), "$.correlationid"),
    "structured, key": (with_event(subject="another"), "$.subject"),
}

MEDIA_TYPES: dict[str, RecordFactory] = {
    "XML": with_header("content-type", b"application/xml"),
    "batch with a command's headers": with_header("content-type", BATCH),
    "Avro envelope": with_header("content-type", b"application/cloudevents+avro"),
    "structured, text": with_event(datacontenttype="text/plain"),
}


async def rejection(kafka: KafkaUser, bad: RawRecord) -> tuple[str, str]:
    """Code and param of the rejection; the valid command behind it must be accepted."""
    next_command = valid_command()
    at = await publish_raw(kafka, bad)
    next_position = await publish_raw(kafka, next_command)
    assert next_position.partition == at.partition
    [record] = await kafka.records(
        "checkout.replies", lambda r: header(r, "ce_causationid") == bad.command_id, 1
    )
    assert await is_accepted(kafka, next_command)
    assert header(record, "ce_type") == "checkout.CommandRejected"
    letters = await read_all(kafka.bootstrap, "checkout.dead-letters")
    assert not any(at.is_source_of(letter) for letter in letters)
    data = json.loads(record.value)
    assert data["command_id"] == bad.command_id
    assert data["checkout_id"] == header(record, "ce_subject")
    assert data["error"]["type"] == "invalid_request"
    return data["error"]["code"], data["error"]["param"]


@pytest.mark.parametrize(("make_record", "param"), BODIES.values(), ids=BODIES)
async def test_an_invalid_body_is_rejected(
    kafka: KafkaUser, make_record: RecordFactory, param: str
):
    assert await rejection(kafka, make_record()) == ("invalid", param)


@pytest.mark.parametrize(("make_record", "param"), ENVELOPES.values(), ids=ENVELOPES)
async def test_invalid_attributes_and_headers_are_rejected(
    kafka: KafkaUser, make_record: RecordFactory, param: str
):
    assert await rejection(kafka, make_record()) == ("invalid", param)


@pytest.mark.parametrize("make_record", MEDIA_TYPES.values(), ids=MEDIA_TYPES)
async def test_data_that_is_not_json_is_rejected(kafka: KafkaUser, make_record: RecordFactory):
    assert await rejection(kafka, make_record()) == ("unsupported_media_type", "$.datacontenttype")
