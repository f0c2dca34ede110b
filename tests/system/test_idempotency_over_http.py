"""A repeated write with the same `Idempotency-Key` has one effect and gets the first response."""

import asyncio
import json
import uuid

import pytest

from services.security.api_keys import Scope
from tests.system.http_user import (
    ADDRESS,
    ITEMS,
    create_api_key,
    create_canceled_checkout,
    create_checkout,
    error_of,
)

MORE = {"items": [{"id": "item_123", "quantity": 3}]}


@pytest.fixture
def key():
    return {"Idempotency-Key": f"key {uuid.uuid4()}"}


def is_replayed(answer):
    return answer.headers.get("idempotent-replayed") == "true"


def is_same_response(first, second):
    names = ("etag", "location", "content-type")
    return (first.status_code, first.content) == (second.status_code, second.content) and all(
        first.headers.get(name) == second.headers.get(name) for name in names
    )


async def test_a_repeated_create_creates_no_second_checkout(http, key):
    first = await http.post("/v1/checkouts", json={"items": ITEMS}, headers=key)
    second = await http.post("/v1/checkouts", json={"items": ITEMS}, headers=key)

    assert (first.status_code, is_replayed(first)) == (201, False)
    assert is_same_response(first, second)
    assert is_replayed(second)


async def test_concurrent_creates_with_one_key_create_one_checkout(http, key):
    answers = await asyncio.gather(
        *(http.post("/v1/checkouts", json={"items": ITEMS}, headers=key) for _ in range(10))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(map(is_replayed, answers)) == [False] + [True] * 9


async def test_a_repeated_update_gets_the_first_response_and_has_no_effect(http, key):
    path = await create_checkout(http)
    first = await http.put(path, json=MORE, headers=key)
    emptied = await http.put(path, json={"items": []})

    second = await http.put(path, json=MORE, headers=key)

    assert is_same_response(first, second)
    assert is_replayed(second)
    now = await http.get(path)
    assert (now.json(), now.headers["etag"]) == (emptied.json(), emptied.headers["etag"])


async def test_a_repeated_cancel_gets_the_first_response(http, key):
    path = await create_checkout(http)
    first = await http.post(f"{path}/cancel", headers=key)

    respelled = await http.post(f"{path}/cancel", json={}, headers=key)

    assert first.status_code == 200
    assert is_same_response(first, respelled)
    assert is_replayed(respelled)
    assert error_of(await http.post(f"{path}/cancel")) == (405, "not_cancelable")


async def test_equal_json_in_another_spelling_is_the_same_body(http, key):
    address = {"fulfillment_address": ADDRESS}
    body = json.dumps({"items": ITEMS} | address)
    respelled = json.dumps(
        {"fulfillment_address": dict(reversed(ADDRESS.items())), "items": ITEMS}, indent=4
    ).replace("John", "J\\u006fhn")
    key |= {"Content-Type": "application/json"}

    first = await http.post("/v1/checkouts", content=body, headers=key)
    second = await http.post("/v1/checkouts", content=respelled, headers=key)

    assert body != respelled
    assert is_same_response(first, second)
    assert is_replayed(second)


async def test_another_body_under_the_same_key_is_a_conflict_and_changes_nothing(http, key):
    path = await create_checkout(http)
    first = await http.put(path, json=MORE, headers=key)

    other = await http.put(path, json={"items": []}, headers=key)

    assert error_of(other) == (422, "idempotency_conflict")
    assert not is_replayed(other)
    assert (await http.get(path)).json() == first.json()
    assert is_replayed(await http.put(path, json=MORE, headers=key))


async def test_another_if_match_under_the_same_key_is_a_conflict(http, key):
    path = await create_checkout(http)
    tag = {"If-Match": (await http.get(path)).headers["etag"]}
    first = await http.put(path, json=MORE, headers=key | tag)

    assert error_of(await http.put(path, json=MORE, headers=key)) == (422, "idempotency_conflict")
    second = await http.put(path, json=MORE, headers=key | tag)
    assert is_same_response(first, second)
    assert is_replayed(second)


async def test_a_rejection_by_state_is_remembered(http, key):
    path = await create_canceled_checkout(http)

    first = await http.put(path, json=MORE, headers=key)
    second = await http.put(path, json=MORE, headers=key)

    assert error_of(first) == error_of(second) == (409, "checkout_closed")
    assert is_same_response(first, second)
    assert (is_replayed(first), is_replayed(second)) == (False, True)


async def test_a_version_mismatch_is_remembered_though_the_version_now_matches(http, key):
    path = await create_checkout(http)
    now = int((await http.get(path)).headers["etag"].strip('"'))
    later = {"If-Match": f'"{now + 2}"'}
    assert error_of(await http.put(path, json=MORE, headers=key | later))[0] == 412
    moved = await http.put(path, json={"items": []})
    assert moved.headers["etag"] == later["If-Match"]

    again = await http.put(path, json=MORE, headers=key | later)

    assert error_of(again) == (412, "version_mismatch")
    assert is_replayed(again)


async def test_a_request_that_became_no_command_is_not_remembered(http, key):
    path = await create_checkout(http)
    assert error_of(await http.put(path, json={"x": 1}, headers=key))[0] == 400
    assert error_of(await http.put(path, content=b"{}", headers=key))[0] == 415

    answer = await http.put(path, json=MORE, headers=key)

    assert (answer.status_code, is_replayed(answer)) == (200, False)


async def test_a_key_is_scoped_to_api_key_method_and_path(dev, http, key):
    path, other_path = await create_checkout(http), await create_checkout(http)
    _, other = create_api_key(dev, Scope.WRITE)
    async with dev.client(other) as other_client:
        answers = [
            await http.put(path, json={}, headers=key),
            await http.put(other_path, json={"items": []}, headers=key),
            await http.post("/v1/checkouts", json={"items": ITEMS}, headers=key),
            await other_client.put(path, json=MORE, headers=key),
            await other_client.post("/v1/checkouts", json={"items": ITEMS}, headers=key),
            await http.post(f"{path}/cancel", headers=key),
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 201, 200, 201, 200]
    assert not any(map(is_replayed, answers))
    assert answers[2].json()["id"] != answers[4].json()["id"]


@pytest.mark.parametrize("length", [0, 256])
async def test_an_empty_or_too_long_key_is_rejected_without_effect(http, length):
    path = await create_checkout(http)

    answer = await http.post(f"{path}/cancel", headers={"Idempotency-Key": "k" * length})

    assert error_of(answer)[:2] == (400, "invalid")
    assert "Idempotency-Key" in answer.json()["param"]
    assert (await http.get(path)).json()["status"] == "not_ready_for_payment"


async def test_a_key_of_maximum_length_is_accepted(http):
    longest_key = {"Idempotency-Key": uuid.uuid4().hex.ljust(255, "k")}

    answers = [
        await http.post("/v1/checkouts", json={"items": ITEMS}, headers=longest_key)
        for _ in range(2)
    ]

    assert [is_replayed(answer) for answer in answers] == [False, True]
