"""Stripe keeps a failure of its own under the key for a day: the payment is then searched by its attempt."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.payment_worker.payment_gateway import Declined, Paid, Undecided
from services.payment_worker.providers.stripe.gateway import StripeGateway
from tests.services.payment_worker.given import a_charge
from tests.services.payment_worker.stripe_stand_in import StripeStandIn, answer, error, intent

REPLAYED = answer(500, {"error": {"type": "api_error"}}, idempotent_replayed="true")


def found(*ids: str) -> Any:
    intents = [{"id": i, "object": "payment_intent", "status": "old"} for i in ids]
    return answer(200, {"object": "search_result", "data": intents, "has_more": False})


async def test_a_payment_that_is_found_is_taken_as_it_is_now(
    stripe: StripeStandIn, provider: StripeGateway
):
    stripe.will(REPLAYED, found("pi_1"), intent("succeeded"))
    assert await provider.charge(a_charge()) == Paid("pi_1")
    search = urlsplit(stripe.asked[1].path)
    assert search.path == "/v1/payment_intents/search"
    assert parse_qs(search.query) == {"query": ["metadata['attempt_id']:'attempt_1'"]}


async def test_a_payment_that_never_got_further_is_canceled(
    stripe: StripeStandIn, provider: StripeGateway
):
    stuck = intent("requires_payment_method", last_payment_error=None)
    stripe.will(REPLAYED, found("pi_1"), stuck, intent("canceled"))
    assert isinstance(await provider.charge(a_charge()), Declined)


@pytest.mark.parametrize(
    ("answers", "needs_hand"),
    [
        ([found()], False),
        ([found("pi_1", "pi_2")], True),
        ([error(500, type="api_error")], False),
        ([answer(200, [])], False),
        ([error(400, type="invalid_request_error")], True),
        ([found("pi_1"), error(500, type="api_error")], False),
        ([found("pi_1"), intent("processing"), intent("processing")], False),
    ],
)
async def test_a_search_that_shows_nothing_decides_nothing(
    stripe: StripeStandIn, provider: StripeGateway, answers: list[Any], needs_hand: bool
):
    stripe.will(REPLAYED, *answers)
    with pytest.raises(Undecided) as undecided:
        await provider.charge(a_charge())
    assert undecided.value.needs_hand is needs_hand
    assert stripe.answers == []
