"""Payment workers: they ask until the provider is decisive, under one key, and hand its answer in once."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

import pytest

from domain.values import Status
from services.event_store import EventStore
from services.payment_worker import attempt_processor
from services.payment_worker.payment_gateway import Charge, Declined, Paid, Undecided
from services.security.token_encryption import TokenKeys, new_key_line
from tests.services.command_handling.given import TOKEN_KEYS, stream
from tests.services.command_handling.paying import AMOUNT, TOKEN, attempt_of
from tests.services.payment_worker.scripted import (
    LEASE,
    Scripted,
    checkout,
    claimed,
    start_payments,
    work_on,
    writer_on,
)

NO = Declined("card_declined", "The card was declined.")
HOUR = 3600.0


@pytest.fixture
def now() -> float:
    return time.time()


def told(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, with tracebacks and whatever else a record holds."""
    formatter = logging.Formatter()
    return "\n".join(f"{formatter.format(r)} {vars(r)}" for r in caplog.records)


async def test_a_yes_makes_an_order_of_the_checkout(store: EventStore, now: float):
    start_payments(store, "a")
    provider = Scripted(Paid("pay_7"))

    attempt = await work_on(claimed(store, now), store, provider)

    [charge] = provider.asked
    assert (charge.attempt_id, charge.checkout_id) == (attempt.attempt_id, "a")
    assert (charge.amount, charge.currency, charge.token) == (AMOUNT, "usd", TOKEN)
    assert (attempt.state, attempt.payment_id, attempt.sealed) == ("settled", "pay_7", None)
    payment = checkout(store).payment
    assert (payment.id, payment.amount, payment.provider) == ("pay_7", AMOUNT, "stripe")


async def test_a_no_makes_the_checkout_ready_again(store: EventStore, now: float):
    start_payments(store, "a")

    attempt = await work_on(claimed(store, now), store, Scripted(NO))

    assert (attempt.state, attempt.payment_id, attempt.sealed) == ("settled", None, None)
    declined = stream(store)[-1].event
    assert (declined.code, declined.message) == ("card_declined", NO.message)
    assert checkout(store).status is Status.READY_FOR_PAYMENT


async def test_what_is_undecided_is_asked_again_under_the_same_key(store: EventStore, now: float):
    start_payments(store, "a")
    provider = Scripted(Undecided("no answer"), Undecided("500"), Paid("pay_7"))

    for asks, note in ((1, "no answer"), (2, "500")):
        attempt = await work_on(claimed(store, now), store, provider)
        assert (attempt.state, attempt.asks, attempt.note) == ("open", asks, note)
        assert checkout(store).status is Status.IN_PROGRESS
        now = attempt.due_at
    attempt = await work_on(claimed(store, now), store, provider)

    assert attempt.state == "settled"
    assert len(provider.asked) == 3
    assert len(set(provider.asked)) == 1
    assert checkout(store).payment.id == "pay_7"


async def test_each_pause_is_twice_the_last_one(store: EventStore, now: float):
    start_payments(store, "a")
    provider = Scripted(*[Undecided("no answer")] * 11)

    pauses = []
    for _ in range(11):
        attempt = await work_on(claimed(store, now), store, provider)
        pauses.append(attempt.due_at - time.time())
        now = attempt.due_at

    expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert all(wanted - 5 < got <= wanted for wanted, got in zip(expected, pauses, strict=True))


async def test_a_wait_that_the_provider_asks_for_is_kept(store: EventStore, now: float):
    start_payments(store, "a")
    provider = Scripted(Undecided("429", retry_after=500.0))

    attempt = await work_on(claimed(store, now), store, provider)

    assert now + 500 <= attempt.due_at <= time.time() + 500
    assert store.attempts.claim("another", attempt.due_at - 0.1, LEASE, 1) == []
    assert claimed(store, attempt.due_at).asks == 2


async def test_what_needs_a_hand_is_never_asked_again(store: EventStore, now: float, caplog):
    start_payments(store, "a")
    provider = Scripted(Undecided("the secret key was refused", needs_hand=True))

    attempt = await work_on(claimed(store, now), store, provider)

    assert (attempt.state, attempt.note) == ("by_hand", "the secret key was refused")
    assert store.attempts.claim("another", now + 9 * HOUR, LEASE, 1) == []
    assert attempt.sealed is not None
    assert f"attempt {attempt.attempt_id} of a needs manual resolution" in caplog.text


@pytest.mark.parametrize(
    ("hours", "state", "asks"),
    [(22.9, "settled", 1), (23.1, "by_hand", 0), (-0.9, "settled", 1), (-1.1, "by_hand", 0)],
    ids=str,
)
async def test_what_the_provider_may_have_forgotten_is_not_asked_by_whatever_clock(
    store: EventStore, now: float, hours: float, state: str, asks: int
):
    start_payments(store, "a", hours_ago=hours)
    provider = Scripted()
    store.attempts.release(store.attempts.claim("nobody", now + 9 * HOUR, LEASE, 1)[0], 0.0, "")

    attempt = await work_on(claimed(store, now), store, provider)

    assert (attempt.state, len(provider.asked)) == (state, asks)


async def test_a_worker_that_slept_past_its_lease_asks_nothing(store: EventStore, now: float):
    start_payments(store, "a")
    provider = Scripted()
    mine = claimed(store, now - LEASE - 0.1)

    after = await work_on(mine, store, provider)

    assert provider.asked == []
    assert after == mine


async def test_a_provider_that_hangs_for_as_long_as_the_lease_is_undecided(
    store: EventStore, now: float
):
    start_payments(store, "a")

    async def hang(_: Charge) -> Paid:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    provider = Scripted(hang)

    attempt = await work_on(claimed(store, now, 0.5), store, provider)

    assert (attempt.state, attempt.note) == ("open", "it did not answer in time")
    assert (await work_on(claimed(store, attempt.due_at), store, provider)).state == "settled"
    assert len(set(provider.asked)) == 1


async def test_an_answer_that_the_writer_has_no_room_for_is_asked_for_again(
    store: EventStore, now: float
):
    start_payments(store, "a")
    provider = Scripted(Paid("pay_7"), Paid("pay_7"))

    async with writer_on(store, max_queue=0) as full:
        await attempt_processor.AttemptProcessor(store, full, provider, TOKEN_KEYS).do(
            claimed(store, now)
        )
    attempt = attempt_of(store)
    assert (attempt.state, attempt.note) == ("open", "too many writes are waiting")

    settled = await work_on(claimed(store, attempt.due_at), store, provider)
    assert (settled.state, settled.payment_id) == ("settled", "pay_7")


async def test_without_its_token_key_an_attempt_is_not_asked_and_stays_open(
    store: EventStore, now: float
):
    start_payments(store, "a")
    provider, others = Scripted(), TokenKeys.parse(new_key_line("another"))

    attempt = await work_on(claimed(store, now), store, provider, others)

    assert (provider.asked, attempt.state) == ([], "open")
    assert "sealed with the key tests" in (attempt.note or "")
    settled = await work_on(claimed(store, attempt.due_at), store, provider, TOKEN_KEYS)
    assert settled.state == "settled"


async def test_a_bug_in_an_adapter_leaves_the_attempt_open_and_the_token_out_of_the_log(
    store: EventStore, now: float, caplog
):
    caplog.set_level(logging.DEBUG)
    start_payments(store, "a")
    provider = Scripted(ZeroDivisionError(f"a bug with {TOKEN}"))

    attempt = await work_on(claimed(store, now), store, provider)

    assert (attempt.state, attempt.note) == ("open", "a fault of ours, ZeroDivisionError")
    assert "ZeroDivisionError" in caplog.text
    assert "a bug with" not in told(caplog)
    assert TOKEN not in told(caplog)
    assert (await work_on(claimed(store, attempt.due_at), store, provider)).state == "settled"


async def test_what_no_charge_can_get_past_turns_the_service_red_and_leaves_the_attempt_open(
    store: EventStore, now: float
):
    start_payments(store, "a")
    refused = Undecided("the secret key was refused", 60.0, is_general=True)

    async with writer_on(store) as writer:
        work = attempt_processor.AttemptProcessor(store, writer, Scripted(refused), TOKEN_KEYS)
        await work.do(claimed(store, now))
        assert (work.failure, attempt_of(store).state) == ("the secret key was refused", "open")
        await work.do(claimed(store, attempt_of(store).due_at))

    assert (work.failure, attempt_of(store).state) == (None, "settled")


async def test_the_pause_between_asks_stays_bounded_however_often_it_was_asked(
    store: EventStore, now: float
):
    start_payments(store, "a")
    often = replace(claimed(store, now), asks=5_000)

    attempt = await work_on(often, store, Scripted(Undecided("busy", retry_after=10**9)))

    assert now < attempt.due_at <= time.time() + HOUR
