"""Stripe's decisive no, and what the buyer is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from services.payment_worker.payment_gateway import Declined
from services.payment_worker.providers.stripe.gateway import StripeGateway
from tests.services.payment_worker.given import a_charge
from tests.services.payment_worker.stripe_stand_in import StripeStandIn, error, intent


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        (
            {
                "code": "card_declined",
                "decline_code": "insufficient_funds",
                "message": "Your card has insufficient funds.",
            },
            "insufficient_funds",
            "Your card has insufficient funds.",
        ),
        (
            {"code": "expired_card", "message": "Your card has expired."},
            "expired_card",
            "Your card has expired.",
        ),
        (
            {
                "code": "card_declined",
                "decline_code": "generic_decline",
                "message": "Your card was declined.",
            },
            "generic_decline",
            "Your card was declined.",
        ),
        (
            {
                "code": "authentication_required",
                "decline_code": "authentication_required",
                "message": "Your card was declined. This transaction requires authentication.",
            },
            "authentication_required",
            "Your card was declined. This transaction requires authentication.",
        ),
        ({}, "payment_failed", "The card was declined."),
    ],
)
async def test_a_card_that_is_declined(
    stripe: StripeStandIn, provider: StripeGateway, said: dict[str, Any], code: str, message: str
):
    stripe.will(error(402, type="card_error", **said))
    assert await provider.charge(a_charge()) == Declined(code, message)
    assert len(stripe.asked) == 1


@pytest.mark.parametrize("secret", ["fraudulent", "lost_card", "stolen_card", "merchant_blacklist"])
async def test_the_buyer_does_not_learn_that_a_card_is_reported(
    stripe: StripeStandIn, provider: StripeGateway, secret: str
):
    told = {"code": "card_declined", "decline_code": secret, "message": f"This is {secret}."}
    stripe.will(error(402, type="card_error", **told))
    assert await provider.charge(a_charge()) == Declined(
        "generic_decline", "The card was declined."
    )


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (400, {"code": "resource_missing", "param": "payment_method"}, "invalid_token"),
        (404, {"code": "resource_missing", "param": "payment_method"}, "invalid_token"),
        (400, {"code": "amount_too_small", "param": "amount"}, "amount_too_small"),
        (400, {"param": "currency"}, "currency_not_supported"),
        (400, {"code": "token_already_used"}, "token_already_used"),
        (400, {"param": "payment_method_data"}, "invalid_request"),
    ],
)
async def test_a_request_that_is_refused_is_declined_and_logged_but_never_quoted(
    stripe: StripeStandIn,
    provider: StripeGateway,
    caplog: pytest.LogCaptureFixture,
    status: int,
    said: dict[str, Any],
    code: str,
):
    message = "No such PaymentMethod: 'pm_card_visa'"
    stripe.will(error(status, type="invalid_request_error", message=message, **said))
    declined = await provider.charge(a_charge("pm_card_visa"))
    assert isinstance(declined, Declined)
    assert declined.code == code
    assert declined.message
    assert "pm_card_visa" not in declined.message
    (line,) = caplog.records
    assert line.getMessage() == "Stripe refused a charge as invalid"
    assert (vars(line)["request_id"], vars(line)["param"]) == ("req_1", said.get("param"))


async def test_a_payment_that_failed_after_a_while_is_declined(
    stripe: StripeStandIn, provider: StripeGateway
):
    failed = {"code": "card_declined", "decline_code": "do_not_honor", "message": "No."}
    stripe.will(intent("processing"), intent("requires_payment_method", last_payment_error=failed))
    assert await provider.charge(a_charge()) == Declined("do_not_honor", "No.")
    assert [path for _, path in stripe.calls] == ["/v1/payment_intents", "/v1/payment_intents/pi_1"]


async def test_a_payment_that_was_canceled_at_stripe_is_declined(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(intent("processing"), intent("canceled", last_payment_error=None))
    declined = await provider.charge(a_charge())
    assert isinstance(declined, Declined)
    assert declined.code == "payment_failed"
