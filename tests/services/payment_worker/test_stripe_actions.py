"""A payment that demands an action of the buyer, such as 3-D Secure, is canceled before it is declined."""

from __future__ import annotations

import pytest

from services.payment_worker.payment_gateway import Declined, Paid, Undecided
from services.payment_worker.providers.stripe.gateway import StripeGateway
from tests.services.payment_worker.given import a_charge
from tests.services.payment_worker.stripe_stand_in import Answer, StripeStandIn, error, intent

UNEXPECTED = error(
    400,
    type="invalid_request_error",
    code="payment_intent_unexpected_state",
    message="You cannot cancel this PaymentIntent because it has a status of …",
)
CREATE, SHOW, CANCEL = (
    "/v1/payment_intents",
    "/v1/payment_intents/pi_1",
    "/v1/payment_intents/pi_1/cancel",
)


def paths(stripe: StripeStandIn) -> list[str]:
    return [path for _, path in stripe.calls]


async def test_a_demand_for_3d_secure_is_canceled_and_then_declined(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(intent("requires_action"), intent("canceled"))
    declined = await provider.charge(a_charge())
    assert isinstance(declined, Declined)
    assert declined.code == "authentication_required"
    assert paths(stripe) == [CREATE, CANCEL]


async def test_a_demand_that_a_repeat_finds_canceled_is_declined_the_same_way(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(intent("requires_action"), intent("canceled"))
    stripe.will(intent("requires_action"), UNEXPECTED, intent("canceled"))
    assert await provider.charge(a_charge()) == await provider.charge(a_charge())
    assert paths(stripe) == [CREATE, CANCEL, CREATE, CANCEL, SHOW]


async def test_a_payment_that_went_through_before_it_could_be_canceled_is_paid(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(intent("requires_action"), UNEXPECTED, intent("succeeded"))
    assert await provider.charge(a_charge()) == Paid("pi_1")
    stripe.will(intent("requires_action"), intent("succeeded"))
    assert await provider.charge(a_charge()) == Paid("pi_1")


@pytest.mark.parametrize(
    "answers",
    [
        [error(500, type="api_error")],
        [Answer(200, b'{"id": "pi_1", "object": "payment_intent"}', cut=10)],
        [UNEXPECTED, error(500, type="api_error")],
        [UNEXPECTED, intent("processing")],
        [intent("requires_action")],
        [Answer(200, b"[]")],
    ],
)
async def test_without_a_decisive_answer_to_the_cancel_it_is_tried_again(
    stripe: StripeStandIn, provider: StripeGateway, answers: list[Answer]
):
    stripe.will(intent("requires_action"), *answers)
    with pytest.raises(Undecided) as undecided:
        await provider.charge(a_charge())
    assert not undecided.value.needs_hand
    assert stripe.answers == []
    stripe.will(intent("requires_action"), intent("canceled"))
    assert isinstance(await provider.charge(a_charge()), Declined)


async def test_a_cancel_that_stripe_refuses_is_for_a_person(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(intent("requires_action"), error(404, type="invalid_request_error"))
    with pytest.raises(Undecided) as undecided:
        await provider.charge(a_charge())
    assert undecided.value.needs_hand


async def test_a_payment_left_without_a_method_is_canceled_too(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(intent("requires_payment_method", last_payment_error=None), intent("canceled"))
    declined = await provider.charge(a_charge())
    assert isinstance(declined, Declined)
    assert declined.code == "payment_failed"
    assert paths(stripe) == [CREATE, CANCEL]
