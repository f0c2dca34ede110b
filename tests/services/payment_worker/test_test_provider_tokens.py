"""Each token of the test provider plays its part, and its books tell what was done."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services.payment_worker.payment_gateway import Declined, Paid, Undecided
from services.payment_worker.providers.test.gateway import FakeGateway
from services.payment_worker.providers.test.ledger import LedgerEntry
from tests.eventually import eventually_async
from tests.services.payment_worker.given import a_charge


@pytest.fixture
def provider(tmp_path: Path) -> FakeGateway:
    return FakeGateway(tmp_path / "made" / "payments.db")


def only(provider: FakeGateway) -> LedgerEntry:
    (charge,) = provider.charges()
    return charge


async def outcome(provider: FakeGateway, token: str) -> Paid | Declined | Undecided:
    try:
        return await provider.charge(a_charge(token))
    except Undecided as undecided:
        return undecided


@pytest.mark.parametrize("token", ["spt_123", "spt_ok", "spt_ok_42"])
async def test_a_good_token_pays_once_however_often_it_is_asked(provider: FakeGateway, token: str):
    first, again = [await provider.charge(a_charge(token)) for _ in range(2)]
    assert first == again
    assert isinstance(first, Paid)
    charge = only(provider)
    assert charge.payment_id == first.payment_id
    assert charge.payment_id.startswith("pay_")
    assert (charge.attempt_id, charge.checkout_id) == ("attempt_1", "checkout_1")
    assert (charge.amount, charge.currency, charge.calls) == (2650, "usd", 2)
    assert charge.charged_at


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("spt_declined", "card_declined"),
        ("spt_insufficient_funds", "insufficient_funds"),
        ("spt_expired_card", "expired_card"),
        ("spt_authentication_required", "authentication_required"),
        ("spt_1234", "invalid_token"),
        ("pm_card_visa", "invalid_token"),
        ("spt_timeout_x", "invalid_token"),
        ("", "invalid_token"),
    ],
)
async def test_a_bad_token_is_declined_each_time_and_nothing_is_charged(
    provider: FakeGateway, token: str, code: str
):
    for _ in range(2):
        declined = await provider.charge(a_charge(token))
        assert isinstance(declined, Declined)
        assert declined.code == code
        assert declined.message
    assert (only(provider).payment_id, only(provider).charged_at) == (None, None)


@pytest.mark.parametrize(
    ("token", "failures"),
    [("spt_timeout", 2), ("spt_timeout_5", 5), ("spt_error", 1), ("spt_rate_limited", 1)],
)
async def test_what_fails_at_first_charges_nothing_until_it_is_paid(
    provider: FakeGateway, token: str, failures: int
):
    for _ in range(failures):
        failed = await outcome(provider, token)
        assert isinstance(failed, Undecided)
        assert not failed.needs_hand
        assert failed.retry_after == (1.0 if token == "spt_rate_limited" else None)
        assert only(provider).payment_id is None
    assert isinstance(await outcome(provider, token), Paid)
    assert only(provider).calls == failures + 1


async def test_a_lost_answer_was_a_charge_and_a_repeat_tells_of_it(provider: FakeGateway):
    assert isinstance(await outcome(provider, "spt_lost_answer"), Undecided)
    charged = only(provider).payment_id
    assert charged
    assert await outcome(provider, "spt_lost_answer") == Paid(charged)


async def test_what_never_answers_never_charges(provider: FakeGateway):
    for _ in range(12):
        assert isinstance(await outcome(provider, "spt_never"), Undecided)
    assert only(provider).payment_id is None


async def test_a_late_answer_comes_long_after_the_charge(provider: FakeGateway):
    asking = asyncio.create_task(provider.charge(a_charge("spt_late_1")))

    async def charged() -> bool:
        return bool(provider.charges() and only(provider).payment_id)

    await eventually_async(charged)
    assert not asking.done()
    assert await asking == Paid(only(provider).payment_id or "")


@pytest.mark.parametrize("token", ["spt_late", "spt_crash"])
async def test_who_asks_again_before_the_late_answer_is_told_of_the_charge(
    provider: FakeGateway, token: str
):
    asking = asyncio.create_task(provider.charge(a_charge(token)))

    async def charged() -> bool:
        return bool(provider.charges() and only(provider).payment_id)

    await eventually_async(charged)
    assert await provider.charge(a_charge(token)) == Paid(only(provider).payment_id or "")
    assert not asking.done()
    asking.cancel()
