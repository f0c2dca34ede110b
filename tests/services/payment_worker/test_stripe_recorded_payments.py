"""The payments that Stripe has recorded: searched by checkout, or listed, as they are now."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.event_store import EventStore
from services.payment_worker.payment_gateway import ProviderPayment, Undecided
from services.payment_worker.providers.stripe import gateway
from services.payment_worker.providers.stripe.gateway import StripeGateway
from tests.services.command_handling.given import handler_on, stream
from tests.services.command_handling.paying import complete, ready
from tests.services.payment_worker.scripted import claimed, work_on
from tests.services.payment_worker.stripe_stand_in import Answer, StripeStandIn, answer, error

PAID = ProviderPayment("pi_1", "attempt_1", "checkout_1", 2650, "usd", 1_700_000_000.0)


def an_intent(payment_id: str = "pi_1", **more: Any) -> dict[str, Any]:
    return {
        "id": payment_id,
        "object": "payment_intent",
        "status": "succeeded",
        "amount": 2650,
        "amount_received": 2650,
        "currency": "usd",
        "created": 1_700_000_000,
        "metadata": {"attempt_id": "attempt_1", "checkout_id": "checkout_1"},
        "latest_charge": {"id": "ch_1", "object": "charge", "amount_refunded": 0},
        **more,
    }


def page(*intents: dict[str, Any], **more: Any) -> Answer:
    return answer(200, {"object": "list", "data": intents, "has_more": False, **more})


def query(stripe: StripeStandIn, call: int) -> dict[str, list[str]]:
    return parse_qs(urlsplit(stripe.asked[call].path).query)


async def test_a_checkouts_payments_are_searched_and_shown_as_they_are_now(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(page(an_intent(status="processing")), answer(200, an_intent()))

    assert [it async for it in provider.payments("checkout_1")] == [PAID]
    assert urlsplit(stripe.asked[0].path).path == "/v1/payment_intents/search"
    assert query(stripe, 0) == {
        "query": ["metadata['checkout_id']:'checkout_1'"],
        "limit": ["100"],
    }
    assert urlsplit(stripe.asked[1].path).path == "/v1/payment_intents/pi_1"
    assert query(stripe, 1) == {"expand[0]": ["latest_charge"]}


async def test_another_checkout_whose_id_differs_in_case_is_passed_over(
    stripe: StripeStandIn, provider: StripeGateway
):
    other = an_intent(metadata={"checkout_id": "CHECKOUT_1"})
    stripe.will(page(other), answer(200, other))

    assert [it async for it in provider.payments("checkout_1")] == []


async def test_a_list_is_read_to_its_end(stripe: StripeStandIn, provider: StripeGateway):
    stripe.will(page(an_intent("pi_2"), an_intent("pi_1"), has_more=True), page(an_intent("pi_0")))

    found = [it.payment_id async for it in provider.payments(since=100.5, until=200.5)]

    assert found == ["pi_2", "pi_1", "pi_0"]
    first, second = query(stripe, 0), query(stripe, 1)
    assert first == {
        "created[gte]": ["100"],
        "created[lte]": ["201"],
        "limit": ["100"],
        "expand[0]": ["data.latest_charge"],
    }
    assert second == {**first, "starting_after": ["pi_1"]}


@pytest.mark.parametrize(
    ("intent", "expected"),
    [
        ({"metadata": {}}, None),
        ({"status": "canceled"}, None),
        ({"status": "requires_payment_method"}, None),
        ({"status": "processing"}, (2650, 0, False)),
        ({"status": "requires_action"}, (2650, 0, False)),
        ({"amount_received": 2000}, (2000, 0, True)),
        ({"latest_charge": {"object": "charge", "amount_refunded": 650}}, (2650, 650, True)),
    ],
    ids=str,
)
async def test_a_payment_is_what_was_taken_or_still_may_be(
    stripe: StripeStandIn, provider: StripeGateway, intent: dict[str, Any], expected: Any
):
    stripe.will(page(an_intent(**intent)))

    found = [(it.amount, it.refunded, it.is_final) async for it in provider.payments(since=0.0)]

    assert found == ([expected] if expected else [])


async def test_a_read_that_fails_for_a_short_time_is_repeated(
    stripe: StripeStandIn, provider: StripeGateway, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(gateway, "_READ_PAUSES", (0.0, 0.0))
    stripe.will(error(500, type="api_error"), error(503, type="api_error"), page(an_intent()))
    assert [it async for it in provider.payments(since=0.0)] == [PAID]

    with pytest.raises(Undecided):
        [it async for it in provider.payments(since=0.0)]
    assert len(stripe.asked) == 6


@pytest.mark.parametrize(
    "said",
    [error(401, type="invalid_request_error"), error(400, type="invalid_request_error")],
    ids=lambda said: str(said.status),
)
async def test_a_read_that_stripe_rejects_is_not_repeated(
    stripe: StripeStandIn, provider: StripeGateway, said: Answer
):
    stripe.will(said)
    with pytest.raises(Undecided) as raised:
        [it async for it in provider.payments("checkout_1")]
    assert raised.value.needs_hand or raised.value.is_general
    assert len(stripe.asked) == 1


@pytest.mark.parametrize("body", [[], {}, {"object": "list", "data": [{"id": "pi_1"}]}], ids=str)
async def test_what_is_not_readable_is_no_proof_that_there_is_no_payment(
    stripe: StripeStandIn, provider: StripeGateway, body: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(gateway, "_READ_PAUSES", ())
    stripe.will(answer(200, body))
    with pytest.raises(Undecided):
        [it async for it in provider.payments(since=0.0)]


async def test_a_key_that_stripe_refuses_is_for_an_operator_and_no_other_key_is_tried(
    stripe: StripeStandIn, provider: StripeGateway, store: EventStore
):
    handler_on(store, lambda: datetime.now(UTC)).handle([ready(), complete(token="pm_card")])
    stripe.will(error(400, type="idempotency_error", message="Keys for idempotent requests …"))

    attempt = await work_on(claimed(store, time.time()), store, provider)

    assert (attempt.state, attempt.payment_id) == ("by_hand", None)
    assert "other parameters" in (attempt.note or "")
    [asked] = stripe.asked
    assert asked.headers["idempotency-key"] == attempt.attempt_id
    assert stream(store)[-1].event.NAME == "PaymentStarted"
