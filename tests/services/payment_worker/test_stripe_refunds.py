"""Giving a payment back at Stripe."""

from __future__ import annotations

from typing import Any

import pytest

from services.payment_worker.payment_gateway import Undecided
from services.payment_worker.providers.stripe.gateway import StripeGateway
from tests.services.payment_worker.stripe_stand_in import Answer, StripeStandIn, answer, error

REPLAYED = answer(500, {"error": {"type": "api_error"}}, idempotent_replayed="true")


def refund(status: str) -> dict[str, Any]:
    return {"id": "re_1", "object": "refund", "status": status}


def refunds(*statuses: str) -> Answer:
    return answer(200, {"object": "list", "data": [refund(status) for status in statuses]})


@pytest.mark.parametrize(
    "answers",
    [
        [answer(200, refund("succeeded"))],
        [answer(200, refund("pending"))],
        [error(400, type="invalid_request_error", code="charge_already_refunded")],
        [REPLAYED, refunds("succeeded")],
    ],
)
async def test_what_is_given_back_or_was_before_is_fine(
    stripe: StripeStandIn, provider: StripeGateway, answers: list[Answer]
):
    stripe.will(*answers)
    await provider.refund("pi_1", "attempt_1")
    assert stripe.answers == []


@pytest.mark.parametrize(
    ("answers", "needs_hand"),
    [
        ([error(500, type="api_error")], False),
        ([error(429, type="rate_limit_error")], False),
        ([Answer(200, b"{}", cut=0)], False),
        ([REPLAYED, error(500, type="api_error")], False),
        ([REPLAYED, refunds()], True),
        ([REPLAYED, refunds("failed")], True),
        ([answer(200, refund("failed"))], True),
        ([answer(200, {})], True),
        ([error(401, type="invalid_request_error")], False),
        ([error(404, type="invalid_request_error", code="resource_missing")], True),
    ],
)
async def test_what_is_not_given_back_is_undecided(
    stripe: StripeStandIn, provider: StripeGateway, answers: list[Answer], needs_hand: bool
):
    stripe.will(*answers)
    with pytest.raises(Undecided) as undecided:
        await provider.refund("pi_1", "attempt_1")
    assert undecided.value.needs_hand is needs_hand
    assert stripe.answers == []
