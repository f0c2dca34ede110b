"""Unusual but valid commands are accepted."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from tests.system.kafka_records import (
    ONE_ITEM,
    RawRecord,
    is_accepted,
    publish_raw,
    valid_command,
    valid_structured_command,
)
from tests.system.kafka_user import KafkaUser, new_id
from tests.system.record_variants import RecordFactory, with_header, with_value, without_header

SPACED = b"\n " + json.dumps(ONE_ITEM).encode() + b" \r\n"
EMOJI = {"first_name": "Zoë 👩‍👩‍👧", "last_name": "\u0000\u202eO'Brien", "email": "🛒@example.com"}

UNUSUAL: dict[str, RecordFactory] = {
    "a null header": with_header("note", None),
    "a binary header": with_header("note", b"\xff\xfe\x00"),
    "a null extension": with_header("ce_comment", None),
    "a binary extension": with_header("ce_comment", b"\xff"),
    "a header without a name": with_header("", b"x"),
    "a null trace": with_header("traceparent", None),
    "a trace that is none": with_header("traceparent", b"\xff"),
    "no content type": without_header("content-type"),
    "a null content type": with_header("content-type", None),
    "another kind of JSON": with_header(
        "content-type", b"application/vnd.shop+json; charset=utf-8"
    ),
    "a content type in capitals": with_header("content-type", b"Application/JSON"),
    "a body in white space": with_value(SPACED),
    "headers in capitals": lambda: _with_upper_case_headers(valid_command()),
    "the same header twice": lambda: _with_headers_twice(valid_command()),
    "null for an attribute of a structured event": lambda: valid_structured_command(
        correlationid=None
    ),
    "an unknown attribute of a structured event": lambda: valid_structured_command(
        shopfloor=[{"a": 1}]
    ),
}


def _with_upper_case_headers(raw: RawRecord) -> RawRecord:
    return replace(raw, headers=[(name.upper(), content) for name, content in raw.headers])


def _with_headers_twice(raw: RawRecord) -> RawRecord:
    return replace(raw, headers=[*raw.headers, *raw.headers])


async def reply_to(kafka: KafkaUser, raw: RawRecord) -> dict[str, Any]:
    await publish_raw(kafka, raw)
    [reply] = await kafka.replies_to(raw.command_id)
    return reply


@pytest.mark.parametrize("odd", UNUSUAL.values(), ids=UNUSUAL)
async def test_an_unusual_but_valid_command_is_accepted(kafka: KafkaUser, odd: RecordFactory):
    reply = await reply_to(kafka, odd())

    assert reply["checkout"]["line_items"][0]["item"] == ONE_ITEM["items"][0]


@pytest.mark.parametrize("body", [None, b"", b"{}"], ids=["null", "empty", "an empty object"])
async def test_a_cancel_needs_no_body(
    kafka: KafkaUser, http: httpx.AsyncClient, body: bytes | None
):
    created = valid_command()
    await publish_raw(kafka, created)
    cancel = with_header("ce_type", b"checkout.CancelCheckout")()
    subject = (created.key or b"").decode()
    headers = [(n, created.key if n == "ce_subject" else content) for n, content in cancel.headers]

    reply = await reply_to(kafka, RawRecord(created.key, body, headers, cancel.command_id))

    shown = await http.get(f"/v1/checkouts/{subject}")
    assert reply["checkout"] == shown.json()
    assert shown.json()["status"] == "canceled"
    assert shown.json()["messages"][-1]["content"] == "Checkout cancelled"


async def test_any_character_in_a_text_is_preserved(kafka: KafkaUser, http: httpx.AsyncClient):
    checkout_id = new_id()

    reply = await kafka.request("CreateCheckout", checkout_id, ONE_ITEM | {"buyer": EMOJI})

    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert reply["checkout"]["buyer"] == shown.json()["buyer"] == EMOJI


async def test_id_source_and_correlation_id_may_hold_any_characters(kafka: KafkaUser):
    odd = f"🛒\u0000\n'\"; {new_id()}" + "x" * 400
    checkout_id = new_id()
    more: Any = {"ce_id": odd, "ce_source": "/søster\u0007", "ce_correlationid": "\u2028"}
    await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM, **more)

    [reply] = await kafka.replies_to(odd)

    assert reply["command_id"] == odd
    assert reply["command_source"] == "/søster\u0007"
    assert reply["checkout_id"] == checkout_id


@pytest.mark.parametrize("command_type", ["UpdateCheckout", "CancelCheckout"])
async def test_a_command_for_an_unknown_checkout_is_not_found(
    kafka: KafkaUser, http: httpx.AsyncClient, command_type: str
):
    checkout_id = new_id()

    reply = await kafka.request(command_type, checkout_id, {})

    assert reply["error"]["type"] == "invalid_request"
    assert reply["error"]["code"] == "not_found"
    assert (await http.get(f"/v1/checkouts/{checkout_id}")).status_code == 404


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_compressed_commands_are_accepted(kafka: KafkaUser, compression: str):
    raw = valid_command()
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, compression_type=compression
    ) as producer:
        await producer.send_and_wait(
            "checkout.commands", b" " * 1_000 + (raw.value or b""), raw.key, headers=raw.headers
        )

    assert await is_accepted(kafka, raw)
