"""What we ask of Stripe is what its specification has: stripe-mock knows each field, and refuses others.

Its answers are fixtures: each intent is one whose payment has failed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import stripe as library

from services.payment_worker.payment_gateway import Declined, Undecided
from services.payment_worker.providers.stripe.gateway import StripeGateway
from services.payment_worker.providers.stripe.recorded_payments import list_params
from services.payment_worker.providers.stripe.requests import intent_params
from tests.services.payment_worker.given import a_charge


@asynccontextmanager
async def provider_at(address: str, key: str) -> AsyncIterator[StripeGateway]:
    provider = StripeGateway(key, address=address)
    try:
        yield provider
    finally:
        await provider.close()


@pytest.fixture
async def provider(stripe_mock_url: str) -> AsyncIterator[StripeGateway]:
    async with provider_at(stripe_mock_url, "sk_test_123") as provider:
        yield provider


async def test_a_charge_is_understood_and_its_outcome_is_read(provider: StripeGateway):
    assert await provider.charge(a_charge("pm_card_visa")) == Declined(
        "payment_failed", "The card was declined."
    )


async def test_what_the_specification_does_not_have_is_refused(provider: StripeGateway):
    params: Any = {**intent_params(a_charge("pm_card_visa")), "nonsense": "1"}
    with pytest.raises(library.InvalidRequestError, match="additional properties are not allowed"):
        await provider._intents.create_async(params)


async def test_a_cancel_is_understood_and_is_not_believed_before_it_is_so(
    provider: StripeGateway,
):
    with pytest.raises(Undecided, match="should be canceled, but is requires_payment_method"):
        await provider._cancel("pi_1", Declined("any", "Any."))


async def test_a_search_for_an_attempt_and_the_look_at_it_are_understood(provider: StripeGateway):
    assert (await provider._find(a_charge())).object == "payment_intent"


async def test_a_list_and_a_search_of_payments_are_understood(provider: StripeGateway):
    assert [it async for it in provider.payments(since=0.0, until=1.0)] == []
    assert [it async for it in provider.payments("checkout_1")] == []
    found, has_more, _ = await provider._page(
        partial(provider._intents.list_async, list_params(0.0, 1.0, "pi_1"))
    )
    assert [intent.object for intent in found] == ["payment_intent"]
    assert not has_more


async def test_a_refund_and_the_search_for_one_are_understood(provider: StripeGateway):
    await provider.refund("pi_1", "attempt_1")
    assert (await provider._find_refund("pi_1")).object == "refund"


async def test_a_key_that_stripe_does_not_take_is_for_the_operators_to_mend(stripe_mock_url: str):
    async with provider_at(stripe_mock_url, "no_key") as provider:
        with pytest.raises(Undecided) as undecided:
            await provider.charge(a_charge("pm_card_visa"))
    assert undecided.value.is_general
