"""What is published again of a dead letter, and what is not, for a reason that is result."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from services.command_consumer import dead_letter_codec
from services.command_consumer.command_decoding import DecodedCommand, decode_command
from services.command_consumer.dead_letter_codec import DeadLetter
from services.command_consumer.dead_letter_retry import CannotRetry, RetryPlanner
from services.kafka.topics import Topics
from services.messages.command_client import Reply
from services.messages.dead_letters import DeadLetterReason

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOPICS = Topics()
BODY = b'{"items": [{"id": "item_123", "quantity": 1}]}'
STRUCTURED = {"content-type": b"application/cloudevents+json"}
ACCEPTED = "checkout.CommandAccepted"


def record(topic: str, key: Any, value: Any, headers: Any) -> ConsumerRecord:
    return ConsumerRecord(topic, 1, 42, 0, 0, key, value, None, 0, 0, tuple(headers))


def binary(**more: bytes) -> ConsumerRecord:
    headers = {
        "ce_specversion": b"1.0",
        "ce_id": b"c-1",
        "ce_source": b"/till",
        "ce_type": b"checkout.UpdateCheckout",
        "ce_subject": b"a",
    }
    return record(TOPICS.commands, b"a", BODY, (headers | more).items())


def structured(value: bytes) -> ConsumerRecord:
    return record(TOPICS.commands, b"a", value, STRUCTURED.items())


def event(**more: Any) -> bytes:
    attributes = {"specversion": "1.0", "id": "c-1", "source": "/till", "subject": "a"}
    event_type = {"type": "checkout.UpdateCheckout", "data": json.loads(BODY)}
    return json.dumps(attributes | event_type | more).encode()


ORIGINALS = {
    "binary": binary(),
    "structured": structured(event()),
    "with null for a version": structured(event(expectedversion=None)),
}


def letter_of(
    original: ConsumerRecord,
    version: int | None = 7,
    reason: DeadLetterReason = DeadLetterReason.INTERNAL,
) -> DeadLetter:
    """A dead letter, encoded and decoded."""
    sent = dead_letter_codec.encode(TOPICS.dead_letters, original, reason, NOW, version)
    return DeadLetter.decode(record(sent.topic, sent.key, sent.value, sent.headers))


def expected(letter: DeadLetter, planner: RetryPlanner) -> int | None:
    """The version that its retry expects, as the command service reads it."""
    message = planner.plan(letter).message
    found = decode_command(
        record(message.topic, message.key, message.value, message.headers), TOPICS
    )
    assert isinstance(found, DecodedCommand)
    return found.envelope.expected_version


@pytest.mark.parametrize("original", ORIGINALS.values(), ids=ORIGINALS)
@pytest.mark.parametrize("version", [0, 7])
def test_a_retry_expects_the_version_at_the_failure_unless_anyway_is_given(
    original: ConsumerRecord, version: int
):
    letter = letter_of(original, version)

    assert expected(letter, RetryPlanner(TOPICS)) == version
    assert expected(letter, RetryPlanner(TOPICS, anyway=True)) is None


@pytest.mark.parametrize("original", ORIGINALS.values(), ids=ORIGINALS)
def test_a_retry_is_the_same_command(original: ConsumerRecord):
    first = decode_command(original, TOPICS)

    retry = RetryPlanner(TOPICS).plan(letter_of(original))

    assert isinstance(first, DecodedCommand)
    message = retry.message
    again = decode_command(
        record(message.topic, message.key, message.value, message.headers), TOPICS
    )
    assert isinstance(again, DecodedCommand)
    assert again.envelope.key == first.envelope.key == retry.envelope.key
    assert again.envelope.fingerprint == first.envelope.fingerprint
    assert not any(name.startswith("dl_") for name, _ in message.headers)


@pytest.mark.parametrize("name", ["ce_expectedversion", "CE_ExpectedVersion"])
def test_a_command_that_expects_a_version_itself_keeps_it(name: str):
    original = binary(**{name: b"5"})

    retry = RetryPlanner(TOPICS).plan(letter_of(original, version=None))

    assert retry.message.headers == list(original.headers)
    in_json = letter_of(structured(event(expectedversion=5)))
    assert expected(in_json, RetryPlanner(TOPICS)) == 5


def test_the_next_retry_of_a_checkout_expects_the_version_that_the_accepted_one_led_to():
    planner, letter = RetryPlanner(TOPICS), letter_of(binary())
    planner.replied(planner.plan(letter), Reply(ACCEPTED, {"version": 9}))

    assert expected(letter, planner) == 9
    assert expected(letter_of(binary(), version=8), planner) == 8
    assert expected(letter_of(binary(ce_subject=b"b")), planner) == 7


def test_a_rejected_retry_changes_no_expected_version():
    planner, letter = RetryPlanner(TOPICS), letter_of(binary())
    planner.replied(planner.plan(letter), Reply("checkout.CommandRejected", {"error": {}}))

    assert expected(letter, planner) == 7


NOT_RETRIED: dict[str, tuple[DeadLetter, str]] = {
    "not ours": (DeadLetter.decode(binary()), "no dl_reason"),
    "cut": (letter_of(record("t", b"a", b"v" * 2_000_000, binary().headers)), "dl_truncated"),
    "header name": (
        letter_of(binary(), reason=DeadLetterReason.UNDECODABLE_HEADER_NAME),
        "not UTF-8",
    ),
    "no source": (letter_of(binary(ce_source=b"")), "put aside again: missing_attributes"),
    "no version": (letter_of(binary(), version=None), "--anyway"),
    "an id twice": (letter_of(structured(event()[:-1] + b', "data": 1}')), "no strict JSON"),
}


@pytest.mark.parametrize(("letter", "why"), NOT_RETRIED.values(), ids=NOT_RETRIED)
def test_what_can_not_be_retried_is_reported_with_the_reason(letter: DeadLetter, why: str):
    with pytest.raises(CannotRetry, match=why):
        RetryPlanner(TOPICS).plan(letter)


def test_a_record_that_our_code_still_fails_on_has_a_reason_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(
        "services.command_consumer.command_decoding.fingerprint_of", lambda *_: 1 / 0
    )

    with pytest.raises(CannotRetry, match="still fails"):
        RetryPlanner(TOPICS).plan(letter_of(binary()))
