"""What Stripe is asked: one intent for an attempt, confirmed at once, under the attempt's id as its key."""

from __future__ import annotations

import base64

import pytest

from services.payment_worker.payment_gateway import Declined, Paid
from services.payment_worker.providers.stripe.gateway import StripeGateway
from tests.services.payment_worker.given import ADDRESS, a_charge
from tests.services.payment_worker.stripe_stand_in import KEY, StripeStandIn, answer, intent

CREATE = ("post", "/v1/payment_intents")
COMMON = {
    "amount": "2650",
    "currency": "usd",
    "confirm": "true",
    "automatic_payment_methods[enabled]": "true",
    "automatic_payment_methods[allow_redirects]": "never",
    "metadata[attempt_id]": "attempt_1",
    "metadata[checkout_id]": "checkout_1",
}


async def test_a_payment_that_succeeds_is_paid_by_one_call(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(intent("succeeded"))
    assert await provider.charge(a_charge("pm_card_visa")) == Paid("pi_1")
    (asked,) = stripe.asked
    assert (asked.method.lower(), asked.path) == CREATE
    assert asked.form == {**COMMON, "payment_method": "pm_card_visa"}
    assert asked.headers["idempotency-key"] == "attempt_1"
    bearer, basic = f"Bearer {KEY}", f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}"
    assert asked.headers["authorization"] in (bearer, basic)


async def test_a_card_token_goes_with_the_billing_address(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(intent("succeeded"))
    await provider.charge(a_charge("tok_visa", billing_address=ADDRESS))
    assert stripe.asked[0].form == {
        **COMMON,
        "payment_method_data[type]": "card",
        "payment_method_data[card][token]": "tok_visa",
        "payment_method_data[billing_details][name]": "Ada Lovelace",
        "payment_method_data[billing_details][address][line1]": "1 Main St",
        "payment_method_data[billing_details][address][line2]": "Flat 2",
        "payment_method_data[billing_details][address][city]": "San Francisco",
        "payment_method_data[billing_details][address][state]": "CA",
        "payment_method_data[billing_details][address][country]": "US",
        "payment_method_data[billing_details][address][postal_code]": "94105",
    }


async def test_a_card_token_without_a_billing_address_goes_alone(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(intent("succeeded"), intent("succeeded"))
    await provider.charge(a_charge("tok_visa"))
    shorter = ADDRESS.model_copy(update={"line_two": None})
    await provider.charge(a_charge("tok_visa", billing_address=shorter))
    alone, with_address = (asked.form for asked in stripe.asked)
    assert not any("billing_details" in name for name in alone)
    assert "payment_method_data[billing_details][address][line2]" not in with_address


async def test_a_shared_payment_token_goes_under_the_version_of_the_api_that_takes_them(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(intent("succeeded"), intent("succeeded"))
    await provider.charge(a_charge("spt_1abc", billing_address=ADDRESS))
    await provider.charge(a_charge("pm_card_visa"))
    shared, other = stripe.asked
    field = "payment_method_data[shared_payment_granted_token]"
    assert shared.form == {**COMMON, field: "spt_1abc"}
    assert shared.headers["stripe-version"] == "2026-04-22.preview"
    assert not other.headers["stripe-version"].endswith(".preview")


@pytest.mark.parametrize("token", ["card_123", "4242424242424242", "x"])
async def test_a_token_of_no_known_kind_is_declined_without_a_word_to_stripe(
    stripe: StripeStandIn, provider: StripeGateway, token: str
):
    said = await provider.charge(a_charge(token))
    assert isinstance(said, Declined)
    assert said.code == "invalid_token"
    assert token not in said.message.split()
    assert stripe.asked == []


async def test_a_repeat_asks_the_same_again(stripe: StripeStandIn, provider: StripeGateway):
    stripe.will(intent("succeeded"), intent("succeeded"))
    first, again = [await provider.charge(a_charge()) for _ in range(2)]
    assert first == again == Paid("pi_1")
    one, other = stripe.asked
    assert one.form == other.form
    assert one.headers["idempotency-key"] == other.headers["idempotency-key"] == "attempt_1"


async def test_a_refund_of_the_whole_has_a_key_of_its_own(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(answer(200, {"id": "re_1", "object": "refund", "status": "succeeded"}))
    await provider.refund("pi_1", "attempt_1")
    (asked,) = stripe.asked
    assert (asked.method.lower(), asked.path) == ("post", "/v1/refunds")
    assert asked.form == {"payment_intent": "pi_1"}
    assert asked.headers["idempotency-key"] == "attempt_1:refund"
