"""Answers that come after an attempt has ended: a payment is given back, once, and nothing else happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from domain.commands import RecordDecline, RecordPayment
from domain.events import Metadata
from domain.values import Status
from services.event_store import EventStore
from services.payment_worker.attempt_processor import AttemptProcessor
from services.payment_worker.manual_resolution import CannotResolve, resolve
from services.payment_worker.outcome_command import outcome_command
from services.payment_worker.payment_gateway import Charge, Declined, Paid, Undecided
from tests.services.command_handling.given import BOOK, NOON, TOKEN_KEYS, FailingStore, stream
from tests.services.command_handling.paying import attempt_of, complete, ready
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


def resolving(store: EventStore, ask: RecordPayment | RecordDecline) -> int:
    """What an operator does with `checkout payments resolve`."""
    return resolve(store, BOOK, lambda: NOON, ask, "operator")


def declining(store: EventStore, attempt_id: str) -> int:
    no = RecordDecline(attempt_id=attempt_id, code="by_hand", message="Not taken.")
    return resolving(store, no)


def accepting(store: EventStore, attempt_id: str) -> int:
    return resolving(store, RecordPayment(attempt_id=attempt_id, payment_id="pay_7"))


async def overtaken(
    store: EventStore,
    now: float,
    answer: Paid | Declined,
    by: Callable[[EventStore, str], int] = declining,
) -> Scripted:
    """A provider that was asked, and gave this answer after an operator had resolved the attempt."""

    async def answer_late(charge: Charge) -> Paid | Declined:
        # By another clock, the worker's lease is over.
        assert store.attempts.hold(charge.attempt_id, now + LEASE)
        assert by(store, charge.attempt_id) == 6
        return answer

    provider = Scripted(answer_late)
    start_payments(store, "a")
    await work_on(claimed(store, now), store, provider)
    return provider


async def test_a_yes_that_comes_after_an_operators_no_is_refunded_once(
    store: EventStore, now: float, caplog
):
    provider = await overtaken(store, now, Paid("pay_late"))

    due = attempt_of(store)
    assert (due.state, due.payment_id) == ("refund_due", "pay_late")
    assert checkout(store).status is Status.READY_FOR_PAYMENT
    assert "the payment pay_late is refund_due" in caplog.text
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


async def test_a_yes_that_comes_while_another_payment_runs_is_refunded_and_leaves_that_one(
    store: EventStore, now: float
):
    async with writer_on(store) as writer:

        async def answer_late(charge: Charge) -> Paid:
            no = RecordDecline(attempt_id=charge.attempt_id, code="no", message="Not taken.")
            metadata = Metadata.model_validate_json(first.metadata)
            await writer.submit([outcome_command(first, metadata, no), complete()])
            return Paid("pay_late")

        await writer.submit([ready(), complete()])
        first = claimed(store, time.time())
        provider = Scripted(answer_late)
        await AttemptProcessor(store, writer, provider, TOKEN_KEYS).do(first)

    late = store.attempts.get(first.attempt_id)
    assert (late.state, late.payment_id) == ("refund_due", "pay_late")
    assert checkout(store).status is Status.IN_PROGRESS
    assert checkout(store).attempt.attempt_id != first.attempt_id


@pytest.mark.parametrize("answer", [NO, Paid("pay_7")], ids=["a no", "the same yes"])
async def test_what_comes_after_an_operators_yes_leaves_the_order_as_it_is(
    store: EventStore, now: float, answer: Paid | Declined
):
    await overtaken(store, now, answer, accepting)

    settled = attempt_of(store)
    assert (settled.state, settled.payment_id) == ("settled", "pay_7")
    assert checkout(store).payment.id == "pay_7"
    assert len(stream(store)) == 6


async def test_a_refund_is_asked_for_until_it_is_made(store: EventStore, now: float):
    provider = await overtaken(store, now, Paid("pay_late"))
    provider.refund_script = [Undecided("500"), Undecided("who is that?", needs_hand=True)]

    undecided = await work_on(claimed(store, time.time()), store, provider)
    assert (undecided.state, undecided.note) == ("refund_due", "500")
    for_a_person = await work_on(claimed(store, undecided.due_at), store, provider)

    assert (for_a_person.state, for_a_person.payment_id) == ("by_hand", "pay_late")
    assert len(provider.refunds) == 2


async def test_a_refund_that_is_for_a_person_can_not_be_resolved_as_if_it_were_open(
    store: EventStore, now: float
):
    provider = await overtaken(store, now, Paid("pay_late"))
    provider.refund_script = [Undecided("who is that?", needs_hand=True)]
    stuck = await work_on(claimed(store, time.time()), store, provider)

    with pytest.raises(CannotResolve, match="pay_late came later"):
        declining(store, stuck.attempt_id)

    assert len(stream(store)) == 6


class Stale(FailingStore):
    """A store that shows an attempt to who looks as it was before."""

    def __init__(self, store: EventStore) -> None:
        super().__init__(store)
        before = replace(attempt_of(store), state="by_hand")
        self.attempts: Any = SimpleNamespace(get=lambda _: before)


async def test_an_operator_whom_a_worker_overtakes_is_told_unless_they_agree(
    store: EventStore, now: float
):
    start_payments(store, "a")
    stale: Any = Stale(store)
    attempt = await work_on(claimed(store, now), store, Scripted(Paid("pay_7")))

    with pytest.raises(CannotResolve, match="ended otherwise"):
        declining(stale, attempt.attempt_id)
    assert accepting(stale, attempt.attempt_id) == 6
    assert len(stream(store)) == 6
    assert checkout(store).payment.id == "pay_7"


async def test_another_payment_than_an_operators_is_left_to_a_person_and_refunds_no_order(
    store: EventStore, now: float
):
    await overtaken(store, now, Paid("pi_late"), accepting)

    late = attempt_of(store)
    assert (late.state, late.payment_id) == ("by_hand", "pi_late")
    assert checkout(store).payment.id == "pay_7"
    assert store.attempts.claim("another", now + 9 * HOUR, LEASE, 1) == []
