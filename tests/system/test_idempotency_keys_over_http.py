"""A valid `Idempotency-Key` has 1 to 255 characters of any script and occurs once."""

import uuid

import pytest

from tests.system.http_user import ITEMS, create_checkout, error_of

CREATE = {"items": ITEMS}


def key_of_length(character, length):
    """A unique key of this length."""
    return (uuid.uuid4().hex.ljust(length, character)).encode()


@pytest.mark.parametrize("character", ["k", "é", "к", "🛒", "\u200d"])
async def test_a_key_of_255_characters_of_any_script_is_accepted(http, character):
    key = {"Idempotency-Key": key_of_length(character, 255)}

    first, second = [await http.post("/v1/checkouts", json=CREATE, headers=key) for _ in range(2)]

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second.headers["idempotent-replayed"] == "true"
    events = (await http.get(f"{first.headers['location']}/events")).json()["data"]
    assert {event["causationid"] for event in events} == {key["Idempotency-Key"].decode()}


BAD_KEYS = {
    "nothing": [b""],
    "256 characters": [b"k" * 256],
    "256 characters of two bytes each": ["é".encode() * 256],
    "no text": [b"\xff\xfe"],
    "Latin-1": [b"caf\xe9"],
    "half of a character": [b"\xed\xa0\x80"],
    "a tab": [b"one\ttwo"],
    "a control character": ["one\u0085two".encode()],
    "two": [b"one", b"two"],
    "the same twice": [b"one", b"one"],
}


@pytest.mark.parametrize("given", BAD_KEYS.values(), ids=BAD_KEYS.keys())
async def test_an_invalid_key_is_rejected_without_effect(http, given):
    path = await create_checkout(http)
    headers = [("Idempotency-Key", key) for key in given]

    answer = await http.post(f"{path}/cancel", headers=headers)

    assert error_of(answer) == (400, "invalid", "$['Idempotency-Key']")
    assert (await http.get(path)).json()["status"] == "not_ready_for_payment"


async def test_keys_that_differ_in_case_or_unicode_form_are_different(http):
    composed, decomposed = "\u00e9", "e\u0301"
    base = uuid.uuid4().hex
    keys = [f"{base}{end}".encode() for end in ("a", "A", composed, decomposed, "a a", "a  a")]

    answers = [
        await http.post("/v1/checkouts", json=CREATE, headers={"Idempotency-Key": key})
        for key in keys
    ]

    assert len({answer.json()["id"] for answer in answers}) == len(keys)
