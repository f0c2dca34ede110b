"""Rejected complete requests over HTTP name the reason and start no payment."""

import pytest

from services.security.api_keys import Scope
from tests.system.http_user import (
    BUYER,
    ITEMS,
    create_api_key,
    create_canceled_checkout,
    create_checkout,
    error_of,
)
from tests.system.payment_requests import create_ready_checkout, payment_body


@pytest.fixture
async def path(http):
    """Path of a checkout that is ready for payment."""
    return await create_ready_checkout(http)


MALFORMED = {
    "no payment data": ({}, "$.payment_data"),
    "payment data that is null": ({"payment_data": None}, "$.payment_data"),
    "no token": ({"payment_data": {"provider": "stripe"}}, "$.payment_data.token"),
    "no provider": ({"payment_data": {"token": "spt_ok"}}, "$.payment_data.provider"),
    "a token that is empty": (payment_body(""), "$.payment_data.token"),
    "a token that is a number": (payment_body(7), "$.payment_data.token"),
    "a token that is too long": (payment_body("t" * 501), "$.payment_data.token"),
    "card data": (payment_body(number="4242424242424242"), "$.payment_data.number"),
    "an unknown field": (payment_body() | {"amount": 1}, "$.amount"),
    "half an address": (
        payment_body(billing_address={"name": "John Doe"}),
        "$.payment_data.billing_address.line_one",
    ),
    "half a buyer": (payment_body() | {"buyer": {"first_name": "John"}}, "$.buyer.last_name"),
    "another provider": (payment_body(provider="paypal"), "$.payment_data.provider"),
}


@pytest.mark.parametrize(("body", "param"), MALFORMED.values(), ids=MALFORMED)
async def test_an_invalid_complete_names_the_field_and_starts_no_payment(http, path, body, param):
    before = await http.get(path)

    answer = await http.post(f"{path}/complete", json=body)

    assert error_of(answer) == (400, "invalid", param)
    assert "4242" not in answer.text
    assert (await http.get(path)).headers["etag"] == before.headers["etag"]


async def test_an_incomplete_checkout_is_not_ready(http):
    without_address = await create_checkout(http)
    emptied = await create_ready_checkout(http)
    await http.put(emptied, json={"items": []})

    for path, missing_field in (
        (without_address, ": fulfillment_address"),
        (emptied, ": items is missing"),
    ):
        answer = await http.post(f"{path}/complete", json=payment_body())
        assert error_of(answer) == (409, "not_ready")
        assert missing_field in answer.json()["message"]


async def test_a_closed_checkout_cannot_be_completed_updated_or_canceled(http, path):
    assert (await http.post(f"{path}/complete", json=payment_body())).status_code == 200

    for closed in (path, await create_canceled_checkout(http)):
        again = await http.post(f"{closed}/complete", json=payment_body())
        assert error_of(again) == (409, "checkout_closed")
        changed = await http.put(closed, json={"items": ITEMS})
        assert error_of(changed) == (409, "checkout_closed")
        ended = await http.post(f"{closed}/cancel")
        assert error_of(ended) == (405, "not_cancelable")
        assert ended.headers["allow"] == ""


async def test_a_complete_checks_the_version_in_if_match(http, path):
    tag = (await http.get(path)).headers["etag"]
    await http.put(path, json={"buyer": BUYER})

    stale = await http.post(f"{path}/complete", json=payment_body(), headers={"If-Match": tag})
    # The version is checked before the merchant book, so a wrong provider does not hide a stale version.
    both = await http.post(
        f"{path}/complete", json=payment_body(provider="paypal"), headers={"If-Match": tag}
    )
    now = (await http.get(path)).headers["etag"]
    answer = await http.post(f"{path}/complete", json=payment_body(), headers={"If-Match": now})

    assert error_of(stale) == error_of(both) == (412, "version_mismatch")
    assert answer.status_code == 200


async def test_a_complete_needs_the_write_scope_and_an_existing_checkout(dev, http, path):
    _, reader = create_api_key(dev, Scope.READ)
    async with dev.client(reader) as read_client:
        assert error_of(await read_client.post(f"{path}/complete", json=payment_body())) == (
            403,
            "forbidden",
        )

    unknown = await http.post("/v1/checkouts/no_such_one/complete", json=payment_body())
    assert error_of(unknown) == (404, "not_found")
    wrong = await http.get(f"{path}/complete")
    assert error_of(wrong) == (405, "method_not_allowed")
    assert (await http.get(path)).json()["status"] == "ready_for_payment"
