"""Payment workers: they ask until the provider is decisive, under one key, and hand its answer in once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from domain.checkout import Checkout
from domain.commands import RecordDecline
from domain.values import Status
from services.payments.by_hand import CannotResolve, resolve, waiting_attempt
from services.payments.provider import Charge, Declined, Paid, Undecided
from services.store import EventStore, open_store
from services.token_keys import TokenKeys, new_key_line
from tests.eventually import eventually_async
from tests.services.handler.given import BOOK, NOON, TOKEN_KEYS, stream
from tests.services.handler.paying import AMOUNT, TOKEN, attempt_of, attempts_of
from tests.services.payments.scripted import (
    LEASE,
    Scripted,
    claimed,
    service_on,
    start_payments,
    work_on,
    writer_on,
)

NO = Declined("card_declined", "The card was declined.")
HOUR = 3600.0


@pytest.fixture
def store(tmp_path: Path):
    opened = open_store(f"sqlite:///{tmp_path / 'events.db'}")
    yield opened
    opened.close()


@pytest.fixture
def now() -> float:
    return time.time()


def checkout(store: EventStore, checkout_id: str = "a") -> Checkout:
    return store.current([checkout_id])[checkout_id]


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
    assert f"attempt {attempt.attempt_id} of a has to be settled by hand" in caplog.text


@pytest.mark.parametrize(
    ("hours", "state", "asks"), [(22.9, "settled", 2), (23.1, "by_hand", 1)], ids=str
)
async def test_what_the_provider_may_soon_forget_is_not_asked_again(
    store: EventStore, now: float, hours: float, state: str, asks: int
):
    start_payments(store, "a")
    provider = Scripted()
    first = claimed(store, now - hours * HOUR, hours * HOUR)
    provider.asked.append(Charge(first.attempt_id, "a", AMOUNT, "usd", TOKEN))

    attempt = await work_on(claimed(store, now), store, provider)

    assert (attempt.state, len(provider.asked)) == (state, asks)


async def test_what_waited_for_days_and_was_never_asked_is_asked(store: EventStore, now: float):
    start_payments(store, "a")
    later = claimed(store, now + 96 * HOUR)

    attempt = await work_on(later, store, Scripted(Paid("pay_7")))

    assert attempt.state == "settled"


async def test_a_worker_that_slept_past_its_lease_asks_nothing(store: EventStore, now: float):
    start_payments(store, "a")
    provider = Scripted()
    mine = claimed(store, now - LEASE - 0.1)

    after = await work_on(mine, store, provider)

    assert provider.asked == []
    assert after == mine


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


def declining(store: EventStore, attempt_id: str) -> int:
    """What an operator does with `checkout payments resolve --declined`."""
    no = RecordDecline(attempt_id=attempt_id, code="by_hand", message="Not taken.")
    return resolve(store, BOOK, lambda: NOON, TOKEN_KEYS.seal, no, "operator")


async def overtaken(store: EventStore, now: float, answer: Paid | Declined) -> Scripted:
    """A provider that was asked, and gave this answer after an operator had declined the attempt."""

    async def answer_late(charge: Charge) -> Paid | Declined:
        async def can_be_resolved() -> bool:
            try:
                return bool(waiting_attempt(store, charge.attempt_id))
            except CannotResolve:
                return False

        await eventually_async(can_be_resolved)
        assert declining(store, charge.attempt_id) == 6
        return answer

    provider = Scripted(answer_late)
    start_payments(store, "a")
    await work_on(claimed(store, now, 0.5), store, provider)
    return provider


async def test_a_yes_that_comes_after_an_operators_no_is_refunded_once(
    store: EventStore, now: float, caplog
):
    provider = await overtaken(store, now, Paid("pay_late"))

    due = attempt_of(store)
    assert (due.state, due.payment_id) == ("refund_due", "pay_late")
    assert checkout(store).status is Status.READY_FOR_PAYMENT
    assert "pay_late: it will be refunded" in caplog.text
    refunded = await work_on(claimed(store, time.time()), store, provider)

    assert refunded.state == "refunded"
    assert provider.refunds == [("pay_late", due.attempt_id)]
    assert store.attempts.claim("another", now + 9 * HOUR, LEASE, 1) == []
    assert len(stream(store)) == 6


async def test_a_no_that_comes_after_an_operators_no_is_the_end_of_it(
    store: EventStore, now: float
):
    await overtaken(store, now, NO)

    assert attempt_of(store).state == "settled"
    assert [r.event.message for r in stream(store)[5:]] == ["Not taken."]


async def test_a_refund_is_asked_for_until_it_is_made(store: EventStore, now: float):
    provider = await overtaken(store, now, Paid("pay_late"))
    provider.refund_script = [Undecided("500"), Undecided("who is that?", needs_hand=True)]

    undecided = await work_on(claimed(store, time.time()), store, provider)
    assert (undecided.state, undecided.note) == ("refund_due", "500")
    for_a_person = await work_on(claimed(store, undecided.due_at), store, provider)

    assert (for_a_person.state, for_a_person.payment_id) == ("by_hand", "pay_late")
    assert len(provider.refunds) == 2


async def test_two_services_share_the_attempts_and_ask_each_once(store: EventStore, tmp_path: Path):
    names = [f"c{n}" for n in range(20)]
    start_payments(store, *names)
    provider = Scripted()
    async with AsyncExitStack() as stack:
        services = []
        for _ in range(2):
            own = open_store(f"sqlite:///{tmp_path / 'events.db'}")
            stack.callback(own.close)
            writer = await stack.enter_async_context(writer_on(own))
            services.append(service_on(own, writer, provider, 3))
        await asyncio.gather(*(service.start() for service in services))
        for service in services:
            stack.push_async_callback(service.stop)
        await eventually_async(are_settled(store), within=30)

    asked = [charge.attempt_id for charge in provider.asked]
    assert sorted(asked) == sorted(attempt.attempt_id for attempt in attempts_of(store))
    assert len(asked) == 20
    assert {c.status for c in store.current(names).values()} == {Status.COMPLETED}


def are_settled(store: EventStore) -> Callable[[], object]:
    async def check() -> bool:
        return all(attempt.state == "settled" for attempt in attempts_of(store))

    return check


async def test_a_stop_finishes_what_is_in_hand_and_claims_no_more(store: EventStore):
    answer_it = asyncio.Event()

    async def answer(_: Charge) -> Paid:
        await answer_it.wait()
        return Paid("pay_7")

    provider = Scripted(answer)
    start_payments(store, "a", "b")
    async with writer_on(store) as writer:
        service = service_on(store, writer, provider, 1)
        await service.start()
        await eventually_async(asked_by(provider))
        claiming, stopping = service._background._task, asyncio.create_task(service.stop())
        await asyncio.wait([claiming], timeout=10)
        answer_it.set()
        await stopping

    assert (len(provider.asked), provider.is_closed) == (1, True)
    states = {a.checkout_id: a.state for a in attempts_of(store)}
    assert sorted(states.values()) == ["open", "settled"]


def asked_by(provider: Scripted) -> Callable[[], object]:
    async def check() -> bool:
        return bool(provider.asked)

    return check


async def test_a_payment_that_starts_while_a_service_runs_is_settled_soon(store: EventStore):
    async with writer_on(store) as writer:
        provider = Scripted(Undecided("no answer"))
        service = service_on(store, writer, provider, 4)
        await service.start()
        start_payments(store, "a")
        await eventually_async(are_settled(store))
        await service.stop()

    assert len(provider.asked) == 2
    assert len(set(provider.asked)) == 1
