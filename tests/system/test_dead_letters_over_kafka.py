"""What can't be answered is put aside as it came, and the next command is served."""

import json
from datetime import datetime

import pytest
from aiokafka import ConsumerRecord

from tests.system.kafka_records import (
    Offset,
    Raw,
    dead_letter_of,
    good,
    is_served,
    publish_raw,
    so_far,
)
from tests.system.kafka_user import KafkaUser, header
from tests.system.spoiling import (
    Spoiled,
    event,
    event_text,
    no_header,
    second_header,
    whole_event,
)
from tests.system.spoiling import header as a_header

BATCH = "application/cloudevents-batch+json"

MISSING: dict[str, Spoiled] = {
    **{f"no {name}": no_header(f"ce_{name}") for name in ("id", "source", "type", "subject")},
    **{f"null {name}": a_header(f"ce_{name}", None) for name in ("id", "source", "type")},
    "empty id": a_header("ce_id", b""),
    "empty subject": a_header("ce_subject", b""),
    "null subject": a_header("ce_subject", None),
    "binary source": a_header("ce_source", b"\xff\xfe"),
    "binary type": a_header("ce_type", b"\x80"),
    "two ids": second_header("ce_id", b"another"),
    "two ids, one in capitals": second_header("CE_ID", b"another"),
    "two subjects": second_header("ce_subject", b"another"),
    "nothing at all": lambda: Raw(None, None, [], ""),
    "an empty event": lambda: Raw(b"", b"", [], ""),
    "another world's message": lambda: Raw(
        b"\x00\x01", b"\xca\xfe", [("x", b"\xff"), ("y", None)], ""
    ),
}
SUBJECTS: dict[str, Spoiled] = {
    "10,000 characters": a_header("ce_subject", b"s" * 10_000),
    "65 characters": a_header("ce_subject", b"s" * 65),
    "bad characters": a_header("ce_subject", b"../etc/passwd"),
    "line end": a_header("ce_subject", b"abc\n"),
    "emoji": a_header("ce_subject", "🛒".encode()),
    "structured": event(subject="a b"),
}
MALFORMED: dict[str, Spoiled] = {
    "null": whole_event(None),
    "no JSON": whole_event(b"{"),
    "no object": whole_event(b"[]"),
    "a text": whole_event(b'"CreateCheckout"'),
    "900 kB of nesting": whole_event(b"[" * 450_000 + b"]" * 450_000),
    "not UTF-8": whole_event(b"\xff\xfe"),
    "not UTF-8 in its id": event_text(b'"id": "', b'"id": "\xff'),
    "an id twice": event_text(b'"id": ', b'"id": "another", "id": '),
    "an id that is no text": event(id=7),
    "no id": event(id=None),
    "a lone surrogate in its id": event(id="\ud83d"),
    "a batch in the wrong type": whole_event(b'[{"specversion": "1.0"}]'),
}
OVERSIZED: dict[str, Spoiled] = {
    "id": a_header("ce_id", b"i" * 400_000),
    "source": a_header("ce_source", b"s" * 900_000),
    "structured id": event(id="i" * 400_000),
}


async def letter_of(kafka: KafkaUser, bad: Raw) -> ConsumerRecord:
    """The dead letter of a record; the good command behind it must be served, and it unanswered."""
    behind = good()
    at = await publish_raw(kafka, bad)
    await publish_raw(kafka, behind)
    letter = await dead_letter_of(kafka, at)
    assert await is_served(kafka, behind)
    if bad.command_id:
        replies = await so_far(kafka.bootstrap, "checkout.replies")
        assert not any(header(r, "ce_causationid") == bad.command_id for r in replies)
    assert_as_it_came(letter, bad, at)
    return letter


def assert_as_it_came(letter: ConsumerRecord, bad: Raw, at: Offset) -> None:
    count = len(bad.headers)
    assert (letter.key, letter.value) == (bad.key, bad.value)
    assert list(letter.headers[:count]) == bad.headers
    told = {name: content.decode() for name, content in letter.headers[count:]}
    assert datetime.fromisoformat(told.pop("dl_time"))
    assert told.pop("dl_reason")
    assert told == {
        "dl_topic": "checkout.commands",
        "dl_partition": str(at.partition),
        "dl_offset": str(at.offset),
    }


@pytest.mark.parametrize("spoiled", MISSING.values(), ids=MISSING)
async def test_a_record_without_an_attribute_to_answer_by_is_a_dead_letter(
    kafka: KafkaUser, spoiled: Spoiled
):
    assert header(await letter_of(kafka, spoiled()), "dl_reason") == "missing_attributes"


@pytest.mark.parametrize("spoiled", SUBJECTS.values(), ids=SUBJECTS)
async def test_a_subject_that_is_no_checkouts_id_is_a_dead_letter(
    kafka: KafkaUser, spoiled: Spoiled
):
    assert header(await letter_of(kafka, spoiled()), "dl_reason") == "invalid_subject"


@pytest.mark.parametrize("spoiled", MALFORMED.values(), ids=MALFORMED)
async def test_a_structured_event_that_names_no_command_is_a_dead_letter(
    kafka: KafkaUser, spoiled: Spoiled
):
    assert header(await letter_of(kafka, spoiled()), "dl_reason") == "malformed_structured_event"


@pytest.mark.parametrize("spoiled", OVERSIZED.values(), ids=OVERSIZED)
async def test_an_identity_that_fits_no_reply_is_a_dead_letter(kafka: KafkaUser, spoiled: Spoiled):
    assert header(await letter_of(kafka, spoiled()), "dl_reason") == "oversized_identity"


async def test_a_batch_of_events_is_a_dead_letter(kafka: KafkaUser):
    value = json.dumps([{"specversion": "1.0", "id": "1"}]).encode()
    batch = Raw(b"a", value, [("content-type", BATCH.encode())], "")

    assert header(await letter_of(kafka, batch), "dl_reason") == "batched_events"


async def test_what_does_not_fit_is_cut_and_says_so(kafka: KafkaUser):
    value = b"v" * 900_000
    headers: list[tuple[str, bytes | None]] = [("big", b"h" * 100_000), ("small", b"s")]
    behind = good()

    at = await publish_raw(kafka, Raw(b"key", value, headers, ""))
    await publish_raw(kafka, behind)

    letter = await dead_letter_of(kafka, at)
    assert await is_served(kafka, behind)
    assert header(letter, "dl_truncated") == "true"
    assert value.startswith(letter.value)
    assert len(letter.value) > 890_000
    assert letter.headers[:2] == tuple(headers)
