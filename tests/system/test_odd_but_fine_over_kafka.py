"""What is odd about a command but no reason to refuse it."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from tests.system.kafka_records import ONE_ITEM, Raw, good, good_event, is_served, publish_raw
from tests.system.kafka_user import KafkaUser, new_id
from tests.system.spoiling import Spoiled, header, no_header, value

SPACED = b"\n " + json.dumps(ONE_ITEM).encode() + b" \r\n"
EMOJI = {"first_name": "Zoë 👩‍👩‍👧", "last_name": "\u0000\u202eO'Brien", "email": "🛒@example.com"}

FINE: dict[str, Spoiled] = {
    "a null header": header("note", None),
    "a binary header": header("note", b"\xff\xfe\x00"),
    "a null extension": header("ce_comment", None),
    "a binary extension": header("ce_comment", b"\xff"),
    "a header without a name": header("", b"x"),
    "a null trace": header("traceparent", None),
    "a trace that is none": header("traceparent", b"\xff"),
    "no content type": no_header("content-type"),
    "a null content type": header("content-type", None),
    "another kind of JSON": header("content-type", b"application/vnd.shop+json; charset=utf-8"),
    "a content type in capitals": header("content-type", b"Application/JSON"),
    "a body in white space": value(SPACED),
    "headers in capitals": lambda: _in_capitals(good()),
    "the same header twice": lambda: _twice(good()),
    "null for an attribute of a structured event": lambda: good_event(correlationid=None),
    "an attribute of a structured event nobody knows": lambda: good_event(shopfloor=[{"a": 1}]),
}


def _in_capitals(raw: Raw) -> Raw:
    return replace(raw, headers=[(name.upper(), content) for name, content in raw.headers])


def _twice(raw: Raw) -> Raw:
    return replace(raw, headers=[*raw.headers, *raw.headers])


async def answer(kafka: KafkaUser, raw: Raw) -> dict[str, Any]:
    await publish_raw(kafka, raw)
    [reply] = await kafka.replies_to(raw.command_id)
    return reply


@pytest.mark.parametrize("odd", FINE.values(), ids=FINE)
async def test_what_is_not_needed_to_carry_out_a_command_is_passed_over(
    kafka: KafkaUser, odd: Spoiled
):
    reply = await answer(kafka, odd())

    assert reply["checkout"]["line_items"][0]["item"] == ONE_ITEM["items"][0]


@pytest.mark.parametrize("body", [None, b"", b"{}"], ids=["null", "empty", "an empty object"])
async def test_a_cancel_needs_no_body(
    kafka: KafkaUser, http: httpx.AsyncClient, body: bytes | None
):
    created = good()
    await publish_raw(kafka, created)
    cancel = header("ce_type", b"checkout.CancelCheckout")()
    subject = (created.key or b"").decode()
    headers = [(n, created.key if n == "ce_subject" else content) for n, content in cancel.headers]

    reply = await answer(kafka, Raw(created.key, body, headers, cancel.command_id))

    shown = await http.get(f"/v1/checkouts/{subject}")
    assert reply["checkout"] == shown.json()
    assert shown.json()["status"] == "canceled"
    assert shown.json()["messages"][-1]["content"] == "Checkout cancelled"


async def test_any_character_in_a_text_is_kept_and_shown(kafka: KafkaUser, http: httpx.AsyncClient):
    checkout_id = new_id()

    reply = await kafka.ask("CreateCheckout", checkout_id, ONE_ITEM | {"buyer": EMOJI})

    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert reply["checkout"]["buyer"] == shown.json()["buyer"] == EMOJI


async def test_an_id_source_and_correlation_may_be_of_any_characters(kafka: KafkaUser):
    odd = f"🛒\u0000\n'\"; {new_id()}" + "x" * 400
    checkout_id = new_id()
    more: Any = {"ce_id": odd, "ce_source": "/søster\u0007", "ce_correlationid": "\u2028"}
    await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM, **more)

    [reply] = await kafka.replies_to(odd)

    assert reply["command_id"] == odd
    assert reply["command_source"] == "/søster\u0007"
    assert reply["checkout_id"] == checkout_id


@pytest.mark.parametrize("command_type", ["UpdateCheckout", "CancelCheckout"])
async def test_a_command_for_a_checkout_that_was_never_created_is_not_found(
    kafka: KafkaUser, http: httpx.AsyncClient, command_type: str
):
    checkout_id = new_id()

    reply = await kafka.ask(command_type, checkout_id, {})

    assert reply["error"]["type"] == "invalid_request"
    assert reply["error"]["code"] == "not_found"
    assert (await http.get(f"/v1/checkouts/{checkout_id}")).status_code == 404


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_publisher_may_compress_as_it_likes(kafka: KafkaUser, compression: str):
    raw = good()
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, compression_type=compression
    ) as producer:
        await producer.send_and_wait(
            "checkout.commands", b" " * 1_000 + (raw.value or b""), raw.key, headers=raw.headers
        )

    assert await is_served(kafka, raw)
