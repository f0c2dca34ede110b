"""A dead letter is the whole record if it fits a message, and says so if it doesn't."""

import hashlib
from datetime import UTC, datetime

import pytest
from aiokafka import ConsumerRecord

from services.command_consumer import dead_letter_codec
from services.kafka.producer_record import ProducerRecord
from services.kafka.publisher import MAX_MESSAGE_BYTES
from services.messages.dead_letters import DeadLetterReason

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
Headers = list[tuple[str, bytes | None]]


def letter(key: bytes | None, value: bytes | None, headers: Headers) -> ProducerRecord:
    record = ConsumerRecord("checkout.commands", 7, 42, 0, 0, key, value, None, 0, 0, headers)
    return dead_letter_codec.encode(
        "checkout.dead-letters", record, DeadLetterReason.INVALID_SUBJECT, NOW
    )


def added_headers(message: ProducerRecord) -> dict[str, str]:
    return {name: value.decode() for name, value in message.headers if name.startswith("dl_")}


def size(message: ProducerRecord) -> int:
    headers = sum(len(name.encode()) + len(value or b"") + 10 for name, value in message.headers)
    return len(message.key or b"") + len(message.value or b"") + headers


@pytest.mark.parametrize("key", [None, b"", b"\xff"])
@pytest.mark.parametrize("value", [None, b"", b"\xff" * 900_000])
def test_a_record_that_fits_is_kept_as_it_came(key: bytes | None, value: bytes | None):
    headers: Headers = [("ce_id", b"\xff"), ("ce_id", None), ("ñ", b"")]

    message = letter(key, value, headers)

    assert message.topic == "checkout.dead-letters"
    assert (message.key, message.value) == (key, value)
    assert message.headers[:3] == headers
    assert added_headers(message) == {
        "dl_reason": "invalid_subject",
        "dl_topic": "checkout.commands",
        "dl_partition": "7",
        "dl_offset": "42",
        "dl_time": "2026-11-22T12:00:00Z",
    }


CUT: dict[str, tuple[bytes, bytes, Headers]] = {
    "a long value": (b"k", b"v" * 2_000_000, []),
    "a long value and a header": (b"k", b"v" * 900_000, [("big", b"h" * 100_000)]),
    "a long key": (b"k" * 990_000, b"v" * 10_000, []),
    "a long header": (b"k", b"v", [("small", b"s"), ("big", b"h" * 2_000_000), ("last", b"l")]),
    "many headers": (b"k", b"v", [(f"h{number}", b"") for number in range(100_000)]),
    "long names": (b"k", b"v", [("ñ" * 300_000, b""), ("ü" * 300_000, b"")]),
}


@pytest.mark.parametrize(("key", "value", "headers"), CUT.values(), ids=CUT)
def test_what_does_not_fit_is_cut_and_marked_with_the_digest_of_the_whole(
    key: bytes, value: bytes, headers: Headers
):
    message = letter(key, value, headers)

    assert size(message) <= MAX_MESSAGE_BYTES
    assert added_headers(message)["dl_truncated"] == "true"
    assert added_headers(message)["dl_value_sha256"] == hashlib.sha256(value).hexdigest()
    assert added_headers(message)["dl_reason"] == "invalid_subject"
    assert key.startswith(message.key or b"")
    assert value.startswith(message.value or b"")
    kept = [pair for pair in message.headers if not pair[0].startswith("dl_")]
    left = iter(headers)
    assert all(pair in left for pair in kept)


def test_the_value_is_cut_before_the_headers():
    headers: Headers = [("big", b"h" * 100_000), ("small", b"s")]

    message = letter(b"k", b"v" * 950_000, headers)

    assert message.headers[:2] == headers
    assert len(message.value or b"") > 890_000
