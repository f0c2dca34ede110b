"""Whatever else is wrong with a command that can be answered: it is, and the next one is served."""

import json

import pytest

from tests.system.kafka_records import ONE_ITEM, Raw, good, is_served, publish_raw, so_far
from tests.system.kafka_user import KafkaUser, header
from tests.system.spoiling import (
    Spoiled,
    event,
    event_text,
    key,
    no_header,
    second_header,
    value,
)
from tests.system.spoiling import header as a_header

DEEP = b"[" * 450_000 + b"]" * 450_000
AT_PYTHONS_LIMIT = b"[" * 989 + b"]" * 989
TWICE = b'{"items":[],"items":[{"id":"item_123","quantity":1}]}'
HUGE = b'{"items":[{"id":"item_123","quantity":1%s}]}' % (b"0" * 400)
BATCH = b"application/cloudevents-batch+json"
AN_ID = "i" * 50_000

BODIES: dict[str, tuple[Spoiled, str]] = {
    "null": (value(None), "$"),
    "null to an update": (value(None, "UpdateCheckout"), "$"),
    "empty": (value(b""), "$"),
    "an array": (value(b"[1]"), "$"),
    "JSON null": (value(b"null"), "$"),
    "half of a JSON": (value(b'{"items": '), "$"),
    "two JSONs": (value(b"{}{}"), "$"),
    "900 kB of nesting": (value(DEEP), "$"),
    "nesting at Python's limit": (value(AT_PYTHONS_LIMIT), "$"),
    "a key twice": (value(TWICE), "$.items"),
    "NaN": (value(b'{"items": NaN}'), "$"),
    "infinity": (value(b'{"items":[{"id":"item_123","quantity":1e999}]}'), "$"),
    "a lone surrogate": (value(b'{"buyer": "\\ud83d"}'), "$"),
    "not UTF-8": (value(b'{"buyer": "\xff"}'), "$"),
    "UTF-16": (value(json.dumps(ONE_ITEM).encode("utf-16")), "$"),
    "a huge integer": (value(HUGE), "$.items[0].quantity"),
    "an integer beyond reading": (value(b'{"items": 1%s}' % (b"0" * 9_000)), "$"),
    "an unknown field": (value(b'{"itemz": []}'), "$.items"),
    "an unknown field of a cancel": (value(b'{"why": "so"}', "CancelCheckout"), "$.why"),
    "structured, a text": (event(data="{}"), "$"),
    "structured, null": (event(data=None), "$"),
    "structured, NaN": (event(data=float("nan")), "$"),
    "structured, a lone surrogate": (event(data={"buyer": "\ud83d"}), "$"),
    "structured, not UTF-8": (event_text(b"here", b"\xff\xfe", data="here"), "$"),
    "structured, a key twice": (event_text(b'"here"', TWICE, data="here"), "$.items"),
    "structured, no base64": (event(data_base64="{}", data=None), "$.data_base64"),
    "structured, base64 of no text": (event(data_base64=7, data=None), "$.data_base64"),
    "structured, data twice": (event(data_base64="e30="), "$.data_base64"),
}

ENVELOPES: dict[str, tuple[Spoiled, str]] = {
    "null key": (key(None), "$.subject"),
    "empty key": (key(b""), "$.subject"),
    "key that is not the subject": (key(b"another"), "$.subject"),
    "binary key": (key(b"\xff\xfe"), "$.subject"),
    "unknown type": (a_header("ce_type", b"checkout.ExplodeCheckout"), "$.type"),
    "type without its prefix": (a_header("ce_type", b"CreateCheckout"), "$.type"),
    "an event's type": (a_header("ce_type", b"checkout.CheckoutCreated"), "$.type"),
    "long id": (a_header("ce_id", b"%010000d" % 7), "$.id"),
    "longest id that can be answered": (a_header("ce_id", AN_ID.encode()), "$.id"),
    "id of control characters": (a_header("ce_id", b"\x01" * 50_000), "$.id"),
    "id of emoji": (a_header("ce_id", ("🛒" * 10_000).encode()), "$.id"),
    "long source": (a_header("ce_source", b"s" * 10_000), "$.source"),
    "wrong specversion": (a_header("ce_specversion", b"0.3"), "$.specversion"),
    "no specversion": (no_header("ce_specversion"), "$.specversion"),
    "null specversion": (a_header("ce_specversion", None), "$.specversion"),
    "word for a version": (a_header("ce_expectedversion", b"latest"), "$.expectedversion"),
    "negative version": (a_header("ce_expectedversion", b"-1"), "$.expectedversion"),
    "version in other digits": (a_header("ce_expectedversion", "٣".encode()), "$.expectedversion"),
    "version too long": (a_header("ce_expectedversion", b"9" * 400), "$.expectedversion"),
    "null version": (a_header("ce_expectedversion", None), "$.expectedversion"),
    "null correlation": (a_header("ce_correlationid", None), "$.correlationid"),
    "binary correlation": (a_header("ce_correlationid", b"\xff"), "$.correlationid"),
    "long correlation": (a_header("ce_correlationid", b"c" * 501), "$.correlationid"),
    "reply to the commands": (a_header("reply-to", b"checkout.commands"), "$['reply-to']"),
    "reply to the events": (a_header("reply-to", b"checkout.events"), "$['reply-to']"),
    "reply to a likeness": (a_header("reply-to", b"checkout.repliesx"), "$['reply-to']"),
    "reply to an illegal name": (a_header("reply-to", b"checkout.replies.a b"), "$['reply-to']"),
    "null reply-to": (a_header("reply-to", None), "$['reply-to']"),
    "binary reply-to": (a_header("reply-to", b"\xff"), "$['reply-to']"),
    "two reply-tos": (second_header("reply-to", b""), "$['reply-to']"),
    "structured, wrong specversion": (event(specversion=1.0), "$.specversion"),
    "structured, float version": (event(expectedversion=1.5), "$.expectedversion"),
    "structured, no text": (event(correlationid=["c"]), "$.correlationid"),
    "structured, key": (event(subject="another"), "$.subject"),
}

MEDIA_TYPES: dict[str, Spoiled] = {
    "XML": a_header("content-type", b"application/xml"),
    "batch with a command's headers": a_header("content-type", BATCH),
    "Avro envelope": a_header("content-type", b"application/cloudevents+avro"),
    "structured, text": event(datacontenttype="text/plain"),
}


async def rejection(kafka: KafkaUser, bad: Raw) -> tuple[str, str]:
    """The code and param of the rejection; the good command behind it must be served."""
    behind = good()
    at = await publish_raw(kafka, bad)
    after = await publish_raw(kafka, behind)
    assert after.partition == at.partition
    [record] = await kafka.records(
        "checkout.replies", lambda r: header(r, "ce_causationid") == bad.command_id, 1
    )
    assert await is_served(kafka, behind)
    assert header(record, "ce_type") == "checkout.CommandRejected"
    letters = await so_far(kafka.bootstrap, "checkout.dead-letters")
    assert not any(at.is_of(letter) for letter in letters)
    data = json.loads(record.value)
    assert data["command_id"] == bad.command_id
    assert data["checkout_id"] == header(record, "ce_subject")
    assert data["error"]["type"] == "invalid_request"
    return data["error"]["code"], data["error"]["param"]


@pytest.mark.parametrize(("spoiled", "param"), BODIES.values(), ids=BODIES)
async def test_a_body_that_is_no_command_is_refused(kafka: KafkaUser, spoiled: Spoiled, param: str):
    assert await rejection(kafka, spoiled()) == ("invalid", param)


@pytest.mark.parametrize(("spoiled", "param"), ENVELOPES.values(), ids=ENVELOPES)
async def test_attributes_and_headers_that_can_not_be_obeyed_are_refused(
    kafka: KafkaUser, spoiled: Spoiled, param: str
):
    assert await rejection(kafka, spoiled()) == ("invalid", param)


@pytest.mark.parametrize("spoiled", MEDIA_TYPES.values(), ids=MEDIA_TYPES)
async def test_data_that_is_not_json_is_refused(kafka: KafkaUser, spoiled: Spoiled):
    assert await rejection(kafka, spoiled()) == ("unsupported_media_type", "$.datacontenttype")
