"""A request with several errors gets the first one, in the documented order of checks."""

import uuid

import pytest

from services.security.api_keys import Scope
from tests.system.http_user import (
    ITEMS,
    create_api_key,
    create_canceled_checkout,
    create_checkout,
    error_of,
)

JSON = {"Content-Type": "application/json"}
STALE = {"If-Match": '"999"'}
NOT_ON_OFFER = {"items": [{"id": "item_999", "quantity": 1}]}
LARGE = b"{" * (1024 * 1024 + 1)


@pytest.fixture
async def put_with_every_fault(dev, http):
    """A PUT to a missing checkout, with a stale `If-Match`, an unknown query parameter and an
    `Idempotency-Key` that was used for another body.
    """
    path, again = f"/v1/checkouts/{uuid.uuid4().hex}", {"Idempotency-Key": uuid.uuid4().hex}
    assert error_of(await http.put(path, json={"items": ITEMS}, headers=again)) == (
        404,
        "not_found",
    )

    async def put(token, content, headers):
        async with dev.client(token) as client:
            return await client.put(
                path, params={"x": 1}, content=content, headers=STALE | again | headers
            )

    return put


async def test_errors_are_reported_in_order_from_the_api_key_to_the_shape(
    dev, put_with_every_fault
):
    _, reader = create_api_key(dev, Scope.READ)

    unknown = await put_with_every_fault("nobody's", LARGE, {})
    unscoped = await put_with_every_fault(reader, LARGE, {})
    too_large = await put_with_every_fault(None, LARGE, {})
    not_json = await put_with_every_fault(None, b"{", {})
    malformed = await put_with_every_fault(None, b"{", JSON)
    misshapen = await put_with_every_fault(None, b"{}", JSON)

    assert error_of(unknown) == (401, "unauthorized")
    assert error_of(unscoped) == (403, "forbidden")
    assert error_of(too_large) == (413, "too_large")
    assert error_of(not_json) == (415, "unsupported_media_type")
    assert error_of(malformed) == (400, "invalid", "$")
    assert error_of(misshapen)[:2] == (400, "invalid")


async def test_the_shape_is_checked_before_a_remembered_response(http):
    path, again = await create_checkout(http), {"Idempotency-Key": uuid.uuid4().hex}
    assert (await http.put(path, json={}, headers=again)).status_code == 200

    answer = await http.put(path, json={"coupon": 1}, headers=again)

    assert error_of(answer) == (400, "invalid", "$.coupon")


async def test_a_remembered_outcome_is_checked_before_existence_and_state(http):
    missing, again = f"/v1/checkouts/{uuid.uuid4().hex}", {"Idempotency-Key": uuid.uuid4().hex}
    path = await create_checkout(http)
    assert error_of(await http.put(missing, json={}, headers=again)) == (404, "not_found")
    assert (await http.put(path, json={}, headers=again)).status_code == 200
    await http.post(f"{path}/cancel")

    for where in (missing, path):
        answer = await http.put(where, json={"items": ITEMS}, headers=again)
        assert error_of(answer) == (422, "idempotency_conflict")


async def test_a_repeat_of_an_accepted_update_is_accepted_though_the_checkout_is_closed(http):
    path, again = await create_checkout(http), {"Idempotency-Key": uuid.uuid4().hex}
    first = await http.put(path, json={"items": ITEMS}, headers=again)
    await http.post(f"{path}/cancel")

    second = await http.put(path, json={"items": ITEMS}, headers=again)

    assert (second.status_code, second.json()) == (200, first.json())


@pytest.mark.parametrize("checkout_id", ["none", "a%20b"])
async def test_the_shape_is_checked_before_existence(http, checkout_id):
    path = f"/v1/checkouts/{checkout_id}"

    assert error_of(await http.put(path, json={"x": 1})) == (400, "invalid", "$.x")
    assert error_of(await http.put(path, json={}, headers={"Idempotency-Key": "k" * 256}))[0] == 400
    assert error_of(await http.get(path, params={"x": 1}))[0] == 400


async def test_existence_is_checked_before_the_version_and_the_merchant_book(http):
    answer = await http.put("/v1/checkouts/none", json=NOT_ON_OFFER, headers=STALE)

    assert error_of(answer) == (404, "not_found")


async def test_the_state_is_checked_before_the_version_and_the_merchant_book(http):
    path = await create_canceled_checkout(http)

    updated = await http.put(path, json=NOT_ON_OFFER, headers=STALE)
    canceled_again = await http.post(f"{path}/cancel", headers=STALE)

    assert error_of(updated) == (409, "checkout_closed")
    assert error_of(canceled_again) == (405, "not_cancelable")


async def test_the_version_is_checked_before_the_merchant_book(http):
    path = await create_checkout(http)

    answer = await http.put(path, json=NOT_ON_OFFER, headers=STALE)

    assert error_of(answer) == (412, "version_mismatch")
    assert error_of(await http.put(path, json=NOT_ON_OFFER))[:2] == (400, "invalid")
