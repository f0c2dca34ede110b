"""A request with several faults is told the first of them, in the order that is promised."""

import uuid

import pytest

from services.security.api_keys import Scope
from tests.system.http_user import ITEMS, canceled, new_key, opened, problem

JSON = {"Content-Type": "application/json"}
STALE = {"If-Match": '"999"'}
NOT_ON_OFFER = {"items": [{"id": "item_999", "quantity": 1}]}
LARGE = b"{" * (1024 * 1024 + 1)


@pytest.fixture
async def with_every_fault(dev, http):
    """A PUT to a checkout that isn't there, with an `Idempotency-Key` used before for another body,
    a stale `If-Match` and a query parameter that is not known.
    """
    path, again = f"/v1/checkouts/{uuid.uuid4().hex}", {"Idempotency-Key": uuid.uuid4().hex}
    assert problem(await http.put(path, json={"items": ITEMS}, headers=again)) == (404, "not_found")

    async def put(token, content, headers):
        async with dev.client(token) as client:
            return await client.put(
                path, params={"x": 1}, content=content, headers=STALE | again | headers
            )

    return put


async def test_faults_are_told_from_the_key_to_the_shape(dev, with_every_fault):
    _, reader = new_key(dev, Scope.READ)

    unknown = await with_every_fault("nobody's", LARGE, {})
    unscoped = await with_every_fault(reader, LARGE, {})
    too_large = await with_every_fault(None, LARGE, {})
    not_json = await with_every_fault(None, b"{", {})
    malformed = await with_every_fault(None, b"{", JSON)
    misshapen = await with_every_fault(None, b"{}", JSON)

    assert problem(unknown) == (401, "unauthorized")
    assert problem(unscoped) == (403, "forbidden")
    assert problem(too_large) == (413, "too_large")
    assert problem(not_json) == (415, "unsupported_media_type")
    assert problem(malformed) == (400, "invalid", "$")
    assert problem(misshapen)[:2] == (400, "invalid")


async def test_the_shape_comes_before_a_repeats_answer(http):
    path, again = await opened(http), {"Idempotency-Key": uuid.uuid4().hex}
    assert (await http.put(path, json={}, headers=again)).status_code == 200

    answer = await http.put(path, json={"coupon": 1}, headers=again)

    assert problem(answer) == (400, "invalid", "$.coupon")


async def test_a_repeats_answer_comes_before_whether_the_checkout_is_there_or_open(http):
    missing, again = f"/v1/checkouts/{uuid.uuid4().hex}", {"Idempotency-Key": uuid.uuid4().hex}
    path = await opened(http)
    assert problem(await http.put(missing, json={}, headers=again)) == (404, "not_found")
    assert (await http.put(path, json={}, headers=again)).status_code == 200
    await http.post(f"{path}/cancel")

    for where in (missing, path):
        answer = await http.put(where, json={"items": ITEMS}, headers=again)
        assert problem(answer) == (422, "idempotency_conflict")


async def test_a_repeat_of_what_was_accepted_is_accepted_though_the_checkout_is_closed(http):
    path, again = await opened(http), {"Idempotency-Key": uuid.uuid4().hex}
    first = await http.put(path, json={"items": ITEMS}, headers=again)
    await http.post(f"{path}/cancel")

    second = await http.put(path, json={"items": ITEMS}, headers=again)

    assert (second.status_code, second.json()) == (200, first.json())


@pytest.mark.parametrize("checkout_id", ["none", "a%20b"])
async def test_the_shape_comes_before_whether_there_is_such_a_checkout(http, checkout_id):
    path = f"/v1/checkouts/{checkout_id}"

    assert problem(await http.put(path, json={"x": 1})) == (400, "invalid", "$.x")
    assert problem(await http.put(path, json={}, headers={"Idempotency-Key": "k" * 256}))[0] == 400
    assert problem(await http.get(path, params={"x": 1}))[0] == 400


async def test_whether_the_checkout_is_there_comes_before_its_version_and_the_book(http):
    answer = await http.put("/v1/checkouts/none", json=NOT_ON_OFFER, headers=STALE)

    assert problem(answer) == (404, "not_found")


async def test_the_state_comes_before_the_version_and_the_book(http):
    path = await canceled(http)

    updated = await http.put(path, json=NOT_ON_OFFER, headers=STALE)
    canceled_again = await http.post(f"{path}/cancel", headers=STALE)

    assert problem(updated) == (409, "checkout_closed")
    assert problem(canceled_again) == (405, "not_cancelable")


async def test_the_version_comes_before_the_book(http):
    path = await opened(http)

    answer = await http.put(path, json=NOT_ON_OFFER, headers=STALE)

    assert problem(answer) == (412, "version_mismatch")
    assert problem(await http.put(path, json=NOT_ON_OFFER))[:2] == (400, "invalid")
