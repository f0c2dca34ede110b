"""A record that cannot be answered becomes an unchanged dead letter and does not block the next command."""

import json
from datetime import datetime

import pytest
from aiokafka import ConsumerRecord

from tests.system.kafka_records import (
    RawRecord,
    RecordPosition,
    dead_letter_of,
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
    with_event_value,
    with_header,
    with_second_header,
    without_header,
)

BATCH = "application/cloudevents-batch+json"

MISSING: dict[str, RecordFactory] = {
    **{f"no {name}": without_header(f"ce_{name}") for name in ("id", "source", "type", "subject")},
    **{f"null {name}": with_header(f"ce_{name}", None) for name in ("id", "source", "type")},
    "empty id": with_header("ce_id", b""),
    "empty subject": with_header("ce_subject", b""),
    "null subject": with_header("ce_subject", None),
    "binary source": with_header("ce_source", b"\xff\xfe"),
    "binary type": with_header("ce_type", b"\x80"),
    "two ids": with_second_header("ce_id", b"another"),
    "two ids, one in capitals": with_second_header("CE_ID", b"another"),
    "two subjects": with_second_header("ce_subject", b"another"),
    "nothing at all": lambda: RawRecord(None, None, [], ""),
    "an empty event": lambda: RawRecord(b"", b"", [], ""),
    "a message of another format": lambda: RawRecord(
        b"\x00\x01", b"\xca\xfe", [("x", b"\xff"), ("y", None)], ""
    ),
}
SUBJECTS: dict[str, RecordFactory] = {
    "10,000 characters": with_header("ce_subject", b"s" * 10_000),
    "65 characters": with_header("ce_subject", b"s" * 65),
    "bad characters": with_header("ce_subject", b"../etc/passwd"),
    "line end": with_header("ce_subject", b"abc\n"),
    "emoji": with_header("ce_subject", "🛒".encode()),
    "structured": with_event(subject="a b"),
}
MALFORMED: dict[str, RecordFactory] = {
    "null": with_event_value(None),
    "no JSON": with_event_value(b"{"),
    "no object": with_event_value(b"[]"),
    "a text": with_event_value(b'"CreateCheckout"'),
    "900 kB of nesting": with_event_value(b"[" * 450_000 + b"]" * 450_000),
    "not UTF-8": with_event_value(b"\xff\xfe"),
    "not UTF-8 in its id": with_event_text(b'"id": "', b'"id": "\xff'),
    "an id twice": with_event_text(b'"id": ', b'"id": "another", "id": '),
    "an id that is no text": with_event(id=7),
    "no id": with_event(id=None),
    "a lone surrogate in its id": with_event(id="\ud83d"),
    "a batch in the wrong type": with_event_value(b'[{"specversion": "1.0"}]'),
}
OVERSIZED: dict[str, RecordFactory] = {
    "id": with_header("ce_id", b"i" * 400_000),
    "source": with_header("ce_source", b"s" * 900_000),
    "structured id": with_event(id="i" * 400_000),
}


async def dead_letter_after(kafka: KafkaUser, bad: RawRecord) -> ConsumerRecord:
    """Publish a bad record; returns its dead letter.

    The record must get no reply, and the valid command behind it must be accepted.
    """
    next_command = valid_command()
    at = await publish_raw(kafka, bad)
    await publish_raw(kafka, next_command)
    letter = await dead_letter_of(kafka, at)
    assert await is_accepted(kafka, next_command)
    if bad.command_id:
        replies = await read_all(kafka.bootstrap, "checkout.replies")
        assert not any(header(r, "ce_causationid") == bad.command_id for r in replies)
    assert_unchanged(letter, bad, at)
    return letter


def assert_unchanged(letter: ConsumerRecord, bad: RawRecord, at: RecordPosition) -> None:
    count = len(bad.headers)
    assert (letter.key, letter.value) == (bad.key, bad.value)
    assert list(letter.headers[:count]) == bad.headers
    facts = {name: content.decode() for name, content in letter.headers[count:]}
    assert datetime.fromisoformat(facts.pop("dl_time"))
    assert facts.pop("dl_reason")
    assert facts == {
        "dl_topic": "checkout.commands",
        "dl_partition": str(at.partition),
        "dl_offset": str(at.offset),
    }


@pytest.mark.parametrize("make_record", MISSING.values(), ids=MISSING)
async def test_a_record_without_a_required_attribute_becomes_a_dead_letter(
    kafka: KafkaUser, make_record: RecordFactory
):
    assert (
        header(await dead_letter_after(kafka, make_record()), "dl_reason") == "missing_attributes"
    )


@pytest.mark.parametrize("make_record", SUBJECTS.values(), ids=SUBJECTS)
async def test_a_record_with_an_invalid_subject_becomes_a_dead_letter(
    kafka: KafkaUser, make_record: RecordFactory
):
    assert header(await dead_letter_after(kafka, make_record()), "dl_reason") == "invalid_subject"


@pytest.mark.parametrize("make_record", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_structured_event_becomes_a_dead_letter(
    kafka: KafkaUser, make_record: RecordFactory
):
    assert (
        header(await dead_letter_after(kafka, make_record()), "dl_reason")
        == "malformed_structured_event"
    )


@pytest.mark.parametrize("make_record", OVERSIZED.values(), ids=OVERSIZED)
async def test_an_oversized_identity_becomes_a_dead_letter(
    kafka: KafkaUser, make_record: RecordFactory
):
    assert (
        header(await dead_letter_after(kafka, make_record()), "dl_reason") == "oversized_identity"
    )


async def test_a_batch_of_events_becomes_a_dead_letter(kafka: KafkaUser):
    value = json.dumps([{"specversion": "1.0", "id": "1"}]).encode()
    batch = RawRecord(b"a", value, [("content-type", BATCH.encode())], "")

    assert header(await dead_letter_after(kafka, batch), "dl_reason") == "batched_events"


async def test_an_oversized_dead_letter_is_truncated_and_marked(kafka: KafkaUser):
    value = b"v" * 900_000
    headers: list[tuple[str, bytes | None]] = [("big", b"h" * 100_000), ("small", b"s")]
    next_command = valid_command()

    at = await publish_raw(kafka, RawRecord(b"key", value, headers, ""))
    await publish_raw(kafka, next_command)

    letter = await dead_letter_of(kafka, at)
    assert await is_accepted(kafka, next_command)
    assert header(letter, "dl_truncated") == "true"
    assert value.startswith(letter.value)
    assert len(letter.value) > 890_000
    assert letter.headers[:2] == tuple(headers)
