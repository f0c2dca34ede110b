"""An `Idempotency-Key` makes a write safe to repeat: one effect, and the first answer again."""

import asyncio
import json
import uuid

import pytest

from services.security.api_keys import Scope
from tests.system.http_user import ADDRESS, ITEMS, canceled, new_key, opened, problem

MORE = {"items": [{"id": "item_123", "quantity": 3}]}


@pytest.fixture
def key():
    return {"Idempotency-Key": f"key {uuid.uuid4()}"}


def is_replayed(answer):
    return answer.headers.get("idempotent-replayed") == "true"


def same(first, second):
    names = ("etag", "location", "content-type")
    return (first.status_code, first.content) == (second.status_code, second.content) and all(
        first.headers.get(name) == second.headers.get(name) for name in names
    )


async def test_a_create_that_is_sent_again_opens_no_second_checkout(http, key):
    first = await http.post("/v1/checkouts", json={"items": ITEMS}, headers=key)
    second = await http.post("/v1/checkouts", json={"items": ITEMS}, headers=key)

    assert (first.status_code, is_replayed(first)) == (201, False)
    assert same(first, second)
    assert is_replayed(second)


async def test_creates_sent_at_once_open_one_checkout(http, key):
    answers = await asyncio.gather(
        *(http.post("/v1/checkouts", json={"items": ITEMS}, headers=key) for _ in range(10))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(map(is_replayed, answers)) == [False] + [True] * 9


async def test_an_update_that_is_sent_again_is_answered_as_it_was_and_undoes_nothing(http, key):
    path = await opened(http)
    first = await http.put(path, json=MORE, headers=key)
    emptied = await http.put(path, json={"items": []})

    second = await http.put(path, json=MORE, headers=key)

    assert same(first, second)
    assert is_replayed(second)
    now = await http.get(path)
    assert (now.json(), now.headers["etag"]) == (emptied.json(), emptied.headers["etag"])


async def test_a_cancel_that_is_sent_again_succeeds_again(http, key):
    path = await opened(http)
    first = await http.post(f"{path}/cancel", headers=key)

    spelled_otherwise = await http.post(f"{path}/cancel", json={}, headers=key)

    assert first.status_code == 200
    assert same(first, spelled_otherwise)
    assert is_replayed(spelled_otherwise)
    assert problem(await http.post(f"{path}/cancel")) == (405, "not_cancelable")


async def test_equal_json_is_the_same_body_whatever_its_spelling(http, key):
    address = {"fulfillment_address": ADDRESS}
    body = json.dumps({"items": ITEMS} | address)
    otherwise = json.dumps(
        {"fulfillment_address": dict(reversed(ADDRESS.items())), "items": ITEMS}, indent=4
    ).replace("John", "J\\u006fhn")
    key |= {"Content-Type": "application/json"}

    first = await http.post("/v1/checkouts", content=body, headers=key)
    second = await http.post("/v1/checkouts", content=otherwise, headers=key)

    assert body != otherwise
    assert same(first, second)
    assert is_replayed(second)


async def test_another_body_under_the_same_key_is_a_conflict_and_changes_nothing(http, key):
    path = await opened(http)
    first = await http.put(path, json=MORE, headers=key)

    other = await http.put(path, json={"items": []}, headers=key)

    assert problem(other) == (422, "idempotency_conflict")
    assert not is_replayed(other)
    assert (await http.get(path)).json() == first.json()
    assert is_replayed(await http.put(path, json=MORE, headers=key))


async def test_another_if_match_under_the_same_key_is_a_conflict(http, key):
    path = await opened(http)
    tag = {"If-Match": (await http.get(path)).headers["etag"]}
    first = await http.put(path, json=MORE, headers=key | tag)

    assert problem(await http.put(path, json=MORE, headers=key)) == (422, "idempotency_conflict")
    second = await http.put(path, json=MORE, headers=key | tag)
    assert same(first, second)
    assert is_replayed(second)


async def test_a_rejection_for_the_state_is_remembered(http, key):
    path = await canceled(http)

    first = await http.put(path, json=MORE, headers=key)
    second = await http.put(path, json=MORE, headers=key)

    assert problem(first) == problem(second) == (409, "checkout_closed")
    assert same(first, second)
    assert (is_replayed(first), is_replayed(second)) == (False, True)


async def test_a_rejection_for_the_version_is_remembered_even_when_it_would_be_accepted_now(
    http, key
):
    path = await opened(http)
    now = int((await http.get(path)).headers["etag"].strip('"'))
    later = {"If-Match": f'"{now + 2}"'}
    assert problem(await http.put(path, json=MORE, headers=key | later))[0] == 412
    moved = await http.put(path, json={"items": []})
    assert moved.headers["etag"] == later["If-Match"]

    again = await http.put(path, json=MORE, headers=key | later)

    assert problem(again) == (412, "version_mismatch")
    assert is_replayed(again)


async def test_what_was_turned_away_before_it_was_a_command_is_not_remembered(http, key):
    path = await opened(http)
    assert problem(await http.put(path, json={"x": 1}, headers=key))[0] == 400
    assert problem(await http.put(path, content=b"{}", headers=key))[0] == 415

    answer = await http.put(path, json=MORE, headers=key)

    assert (answer.status_code, is_replayed(answer)) == (200, False)


async def test_a_key_counts_for_one_api_key_method_and_path(dev, http, key):
    path, elsewhere = await opened(http), await opened(http)
    _, other = new_key(dev, Scope.WRITE)
    async with dev.client(other) as somebody_else:
        answers = [
            await http.put(path, json={}, headers=key),
            await http.put(elsewhere, json={"items": []}, headers=key),
            await http.post("/v1/checkouts", json={"items": ITEMS}, headers=key),
            await somebody_else.put(path, json=MORE, headers=key),
            await somebody_else.post("/v1/checkouts", json={"items": ITEMS}, headers=key),
            await http.post(f"{path}/cancel", headers=key),
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 201, 200, 201, 200]
    assert not any(map(is_replayed, answers))
    assert answers[2].json()["id"] != answers[4].json()["id"]


@pytest.mark.parametrize("length", [0, 256])
async def test_a_key_out_of_bounds_is_refused_before_anything_is_done(http, length):
    path = await opened(http)

    answer = await http.post(f"{path}/cancel", headers={"Idempotency-Key": "k" * length})

    assert problem(answer)[:2] == (400, "invalid")
    assert "Idempotency-Key" in answer.json()["param"]
    assert (await http.get(path)).json()["status"] == "not_ready_for_payment"


async def test_a_key_of_the_greatest_length_is_accepted(http):
    longest = {"Idempotency-Key": uuid.uuid4().hex.ljust(255, "k")}

    answers = [
        await http.post("/v1/checkouts", json={"items": ITEMS}, headers=longest) for _ in range(2)
    ]

    assert [is_replayed(answer) for answer in answers] == [False, True]
