"""Completes that are refused over HTTP: each names its reason, and starts no payment."""

import pytest

from services.security.api_keys import Scope
from tests.system.http_user import BUYER, ITEMS, canceled, new_key, opened, problem
from tests.system.paying import opened_ready, paying


@pytest.fixture
async def path(http):
    """The path of a checkout that is ready for payment."""
    return await opened_ready(http)


MALFORMED = {
    "no payment data": ({}, "$.payment_data"),
    "payment data that is null": ({"payment_data": None}, "$.payment_data"),
    "no token": ({"payment_data": {"provider": "stripe"}}, "$.payment_data.token"),
    "no provider": ({"payment_data": {"token": "spt_ok"}}, "$.payment_data.provider"),
    "a token that is empty": (paying(""), "$.payment_data.token"),
    "a token that is a number": (paying(7), "$.payment_data.token"),
    "a token that is too long": (paying("t" * 501), "$.payment_data.token"),
    "card data": (paying(number="4242424242424242"), "$.payment_data.number"),
    "an unknown field": (paying() | {"amount": 1}, "$.amount"),
    "half an address": (
        paying(billing_address={"name": "John Doe"}),
        "$.payment_data.billing_address.line_one",
    ),
    "half a buyer": (paying() | {"buyer": {"first_name": "John"}}, "$.buyer.last_name"),
    "another provider": (paying(provider="paypal"), "$.payment_data.provider"),
}


@pytest.mark.parametrize(("body", "param"), MALFORMED.values(), ids=MALFORMED)
async def test_a_complete_at_fault_names_the_field_and_starts_no_payment(http, path, body, param):
    before = await http.get(path)

    answer = await http.post(f"{path}/complete", json=body)

    assert problem(answer) == (400, "invalid", param)
    assert "4242" not in answer.text
    assert (await http.get(path)).headers["etag"] == before.headers["etag"]


async def test_a_checkout_that_lacks_something_is_not_ready(http):
    without_address = await opened(http)
    emptied = await opened_ready(http)
    await http.put(emptied, json={"items": []})

    for path, lacks in (
        (without_address, ": fulfillment_address"),
        (emptied, ": items is missing"),
    ):
        answer = await http.post(f"{path}/complete", json=paying())
        assert problem(answer) == (409, "not_ready")
        assert lacks in answer.json()["message"]


async def test_a_closed_checkout_can_neither_be_completed_nor_changed(http, path):
    assert (await http.post(f"{path}/complete", json=paying())).status_code == 200

    for closed in (path, await canceled(http)):
        again = await http.post(f"{closed}/complete", json=paying())
        assert problem(again) == (409, "checkout_closed")
        changed = await http.put(closed, json={"items": ITEMS})
        assert problem(changed) == (409, "checkout_closed")
        ended = await http.post(f"{closed}/cancel")
        assert problem(ended) == (405, "not_cancelable")
        assert ended.headers["allow"] == ""


async def test_a_complete_goes_by_the_version_it_names(http, path):
    tag = (await http.get(path)).headers["etag"]
    await http.put(path, json={"buyer": BUYER})

    stale = await http.post(f"{path}/complete", json=paying(), headers={"If-Match": tag})
    # The version comes before the book: another provider does not hide that it is stale.
    both = await http.post(
        f"{path}/complete", json=paying(provider="paypal"), headers={"If-Match": tag}
    )
    now = (await http.get(path)).headers["etag"]
    answer = await http.post(f"{path}/complete", json=paying(), headers={"If-Match": now})

    assert problem(stale) == problem(both) == (412, "version_mismatch")
    assert answer.status_code == 200


async def test_a_complete_wants_a_key_that_may_write_and_a_checkout_that_is_there(dev, http, path):
    _, reader = new_key(dev, Scope.READ)
    async with dev.client(reader) as reading:
        assert problem(await reading.post(f"{path}/complete", json=paying())) == (403, "forbidden")

    unknown = await http.post("/v1/checkouts/no_such_one/complete", json=paying())
    assert problem(unknown) == (404, "not_found")
    wrong = await http.get(f"{path}/complete")
    assert problem(wrong) == (405, "method_not_allowed")
    assert (await http.get(path)).json()["status"] == "ready_for_payment"
