"""Whatever is not Stripe's decisive answer leaves the charge open, and says whether a person is needed."""

from __future__ import annotations

import asyncio

import pytest

from services.payment_worker.payment_gateway import Paid, Undecided
from services.payment_worker.providers.stripe.gateway import StripeGateway
from tests.services.payment_worker.given import a_charge
from tests.services.payment_worker.stripe_stand_in import (
    KEY,
    Answer,
    StripeStandIn,
    answer,
    error,
    intent,
    stripe_standing_in,
)

LOCKED = {"type": "invalid_request_error", "code": "lock_timeout", "message": "accessed"}


async def undecided(provider: StripeGateway) -> Undecided:
    with pytest.raises(Undecided) as raised:
        await provider.charge(a_charge())
    assert raised.value.__context__ is None
    return raised.value


@pytest.mark.parametrize(
    "said",
    [
        error(500, type="api_error", message="Something went wrong"),
        error(503, type="api_error"),
        error(409, type="idempotency_error", code="idempotency_key_in_use"),
        error(409, **LOCKED),
        error(429, **LOCKED),
        error(424, type="api_error"),
        error(400, type="api_error"),
        answer(200, {}),
        answer(200, []),
        answer(400, {"error": []}),
        answer(400, {"error": None}),
        answer(400, "what"),
        Answer(200, b"<html>a gateway says hello</html>"),
        Answer(404, b"<html>no such page</html>"),
        Answer(200, b""),
        Answer(200, b"\xff\xfe"),
        Answer(200, b'{"id": "pi_1", "object": "payment_intent", "status": "succeeded"}', cut=20),
        Answer(200, b"{}", cut=0),
        intent("processing"),
    ],
    ids=lambda said: f"{said.status} {said.body[:40]!r} {said.cut}",
)
async def test_no_decisive_answer_is_asked_for_again(
    stripe: StripeStandIn, provider: StripeGateway, said: Answer
):
    stripe.will(said, intent("processing"))
    assert not (await undecided(provider)).needs_hand


async def test_the_wait_that_stripe_asks_for_is_passed_on(
    stripe: StripeStandIn, provider: StripeGateway
):
    for given, seconds in [("7", 7.0), ("0.5", 0.5), ("soon", None), ("-1", None)]:
        said = {"error": {"type": "rate_limit_error", "message": "Too many requests"}}
        stripe.will(answer(429, said, retry_after=given))
        assert (await undecided(provider)).retry_after == seconds


@pytest.mark.parametrize(
    "said",
    [
        error(401, type="invalid_request_error", message=f"Invalid API Key provided: {KEY}"),
        error(403, type="invalid_request_error", message=f"The key {KEY} may not do that"),
        error(400, type="idempotency_error", message="Keys for idempotent requests can only …"),
        intent("requires_capture"),
        intent("something_new"),
    ],
    ids=lambda said: f"{said.status} {said.body[:60]!r}",
)
async def test_what_asking_again_would_not_help_is_for_a_person_or_for_the_operators(
    stripe: StripeStandIn, provider: StripeGateway, said: Answer
):
    stripe.will(said)
    raised = await undecided(provider)
    assert raised.needs_hand or raised.is_general
    assert KEY not in f"{raised} {raised!r}"


async def test_an_answer_that_takes_too_long_is_none():
    async with stripe_standing_in(within=1.0) as (stripe, provider):
        stripe.will(Answer(200, b"{}", after=5.0))
        # Whichever of two bounds of the same length is noticed first.
        assert (await undecided(provider)).reason in {
            "Stripe gave no answer within 1 s",
            "Stripe can't be reached, or its answer was lost",
        }
        assert len(stripe.asked) == 1


async def test_all_calls_of_a_charge_together_are_bounded():
    async with stripe_standing_in(within=2.0) as (stripe, provider):
        slow = Answer(200, intent("requires_action").body, after=1.2)
        stripe.will(slow, slow)
        assert (await undecided(provider)).reason == "Stripe gave no answer within 2 s"
        assert len(stripe.asked) == 2


async def test_nobody_there_is_no_answer(unused_tcp_port: int):
    provider = StripeGateway(KEY, address=f"http://127.0.0.1:{unused_tcp_port}")
    assert not (await undecided(provider)).needs_hand
    await provider.close()


async def test_who_stops_waiting_stops_at_once(stripe: StripeStandIn, provider: StripeGateway):
    stripe.will(Answer(200, b"{}", after=5.0))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await provider.charge(a_charge())


async def test_a_payment_still_under_way_is_looked_at_anew_by_each_repeat(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(intent("processing"), intent("processing"))
    await undecided(provider)
    # Under the same key Stripe gives its first answer again, however things stand.
    stripe.will(intent("processing"), intent("succeeded"))
    assert await provider.charge(a_charge()) == Paid("pi_1")


async def test_a_first_failure_of_stripes_is_not_asked_about_twice(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(error(500, type="api_error"))
    await undecided(provider)
    assert len(stripe.asked) == 1


async def test_fifty_charges_at_once_are_served_by_one_provider(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(*[intent("succeeded") for _ in range(50)])
    charges = [a_charge(attempt_id=f"attempt_{n}") for n in range(50)]
    assert await asyncio.gather(*map(provider.charge, charges)) == [Paid("pi_1")] * 50
    keys = {asked.headers["idempotency-key"] for asked in stripe.asked}
    assert keys == {charge.attempt_id for charge in charges}
