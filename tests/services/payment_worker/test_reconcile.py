"""Reconciliation: each difference between the provider's payments and the store's is found, and no other."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.payment import attempt_id_of
from services.event_store import AttemptState, EventStore
from services.payment_worker.payment_gateway import Paid, ProviderPayment, Undecided
from services.payment_worker.reconcile import CannotReconcile, Difference, Reconciliation
from tests.services.command_handling.given import handler_on
from tests.services.command_handling.paying import AMOUNT, attempt_of, attempts_of, taken
from tests.services.payment_worker.scripted import Scripted, claimed, start_payments, work_on

DAY = 24 * 3_600.0


class Provider(Scripted):
    """A provider that shows what it has: in a list what is new enough, in a search what is not hidden."""

    def __init__(self) -> None:
        super().__init__()
        self.search_lag = 3_600.0
        self.all: list[ProviderPayment] = []

    async def payments(
        self, checkout_id: str | None = None, *, since: float = 0.0, until: float | None = None
    ) -> Any:
        self.looked.append((checkout_id, since, until))
        for payment in self.all:
            if payment.created_at >= since and checkout_id in (None, payment.checkout_id):
                yield payment


async def compared(
    store: EventStore, provider: Provider, since: float = DAY
) -> tuple[list[Difference], Reconciliation]:
    run = Reconciliation(store, provider, time.time() - since, lambda *_: None)
    return [it async for it in run.differences()], run


async def kinds(store: EventStore, provider: Provider, since: float = DAY) -> list[tuple[str, str]]:
    found, _ = await compared(store, provider, since)
    return [(str(it.difference), it.payment_id) for it in found]


async def an_order(store: EventStore, checkout_id: str = "a") -> ProviderPayment:
    """A checkout that was paid as `pay_<id>`, and the payment as the provider has it."""
    start_payments(store, checkout_id)
    attempt = await work_on(
        claimed(store, time.time()), store, Scripted(Paid(f"pay_{checkout_id}"))
    )
    return a_payment(attempt.attempt_id, f"pay_{checkout_id}", checkout_id)


def a_payment(
    attempt_id: str, payment_id: str = "pay_9", checkout_id: str = "a", **other: Any
) -> ProviderPayment:
    given: dict[str, Any] = {"amount": AMOUNT, "currency": "usd", "created_at": time.time() - 60}
    return ProviderPayment(payment_id, attempt_id, checkout_id, **given | other)


@pytest.fixture
def provider() -> Provider:
    return Provider()


async def test_orders_whose_payments_the_provider_has_agree(store: EventStore, provider: Provider):
    provider.all = [await an_order(store, "a"), await an_order(store, "b")]

    found, run = await compared(store, provider)

    assert found == []
    assert (run.counts.payments, run.counts.orders, run.counts.differences) == (2, 2, 0)


async def test_a_payment_of_a_checkout_that_the_store_lost_is_told_with_its_attempt(
    store: EventStore, provider: Provider
):
    lost = attempt_id_of(store.lineage().lineage, "gone", 4)
    provider.all = [a_payment(lost, "pay_gone", "gone")]

    [difference], run = await compared(store, provider)

    assert difference.as_json() == {
        "difference": "not_in_store",
        "checkout_id": "gone",
        "payment_id": "pay_gone",
        "attempt_id": lost,
        "amount": AMOUNT,
        "currency": "usd",
        "what": f"{AMOUNT} usd paid, and not in the store: there is no such checkout",
    }
    assert run.counts.differences == 1


async def test_another_amount_is_told_and_a_refund_of_an_order_is_not(
    store: EventStore, provider: Provider
):
    a, b = await an_order(store, "a"), await an_order(store, "b")
    provider.all = [
        a_payment(a.attempt_id, "pay_a", "a", amount=AMOUNT - 1),
        a_payment(b.attempt_id, "pay_b", "b", refunded=AMOUNT),
    ]

    [difference], _ = await compared(store, provider)

    assert difference.line() == f"a pay_a: {AMOUNT - 1} usd paid, and {AMOUNT} usd in the store"
    assert difference.difference == "other_amount"


async def test_a_second_payment_is_told_whether_or_not_there_is_an_order(
    store: EventStore, provider: Provider
):
    order = await an_order(store, "a")
    lost = attempt_id_of(store.lineage().lineage, "gone", 4)
    provider.all = [
        a_payment(order.attempt_id + "2", "pay_a2"),
        order,
        a_payment(lost, "pay_1", "gone"),
        a_payment(lost + "2", "pay_2", "gone"),
    ]

    assert await kinds(store, provider) == [
        ("paid_twice", "pay_a2"),
        ("not_in_store", "pay_1"),
        ("paid_twice", "pay_2"),
    ]


async def test_an_order_whose_payment_the_provider_has_not_is_told(
    store: EventStore, provider: Provider
):
    await an_order(store, "a")

    [difference], _ = await compared(store, provider)

    assert (difference.difference, difference.payment_id) == ("not_at_provider", "pay_a")
    assert difference.attempt_id is None


async def test_an_order_whose_payment_has_not_been_taken_yet_is_told(
    store: EventStore, provider: Provider
):
    order = await an_order(store, "a")
    provider.all = [a_payment(order.attempt_id, "pay_a", is_final=False)]

    assert await kinds(store, provider) == [("not_at_provider", "pay_a")]


async def test_a_payment_that_is_older_than_the_list_is_searched(
    store: EventStore, provider: Provider
):
    order = await an_order(store, "a")
    provider.all = [a_payment(order.attempt_id, "pay_a", created_at=time.time() - 3 * DAY)]

    assert await kinds(store, provider) == []
    assert [checkout_id for checkout_id, *_ in provider.looked] == [None, "a"]


async def test_what_was_paid_before_the_time_is_left_out(store: EventStore, provider: Provider):
    lost = attempt_id_of(store.lineage().lineage, "gone", 4)
    provider.all = [a_payment(lost, "pay_1", "gone", created_at=time.time() - DAY - 60)]

    assert await kinds(store, provider) == []
    assert await kinds(store, provider, since=DAY + 120) == [("not_in_store", "pay_1")]


async def test_what_workers_are_about_to_record_is_counted_and_is_no_difference(
    store: EventStore, provider: Provider
):
    start_payments(store, "a")
    provider.all = [a_payment(attempt_of(store).attempt_id)]

    found, run = await compared(store, provider)
    assert (found, run.counts.in_work) == ([], 1)

    assert store.attempts.hold(attempt_of(store).attempt_id, time.time())
    [held], _ = await compared(store, provider)
    assert held.what.endswith("the checkout is in_progress, the attempt is by_hand")
    assert attempts_of(store)[0].state == AttemptState.BY_HAND


async def test_a_payment_that_is_recorded_during_the_comparison_is_no_difference(
    store: EventStore, provider: Provider, monkeypatch: pytest.MonkeyPatch
):
    start_payments(store, "a")
    running = attempt_of(store)
    provider.all = [a_payment(running.attempt_id)]
    get = store.attempts.get

    def record_it_first(attempt_id: str) -> Any:
        handler_on(store, lambda: datetime.now(UTC)).handle([taken(running, "pay_9")])
        return get(attempt_id)

    monkeypatch.setattr(store.attempts, "get", record_it_first)

    found, run = await compared(store, provider)

    assert (found, run.counts.in_work) == ([], 0)


async def test_refunded_payments_those_that_have_not_ended_and_those_of_another_store_agree(
    store: EventStore, provider: Provider
):
    lost = attempt_id_of(store.lineage().lineage, "gone", 4)
    provider.all = [
        a_payment(lost, "pay_1", "gone", refunded=AMOUNT),
        a_payment(lost, "pay_2", "gone", is_final=False),
        a_payment(attempt_id_of("another0lineage", "gone", 4), "pay_3", "gone"),
    ]

    assert await kinds(store, provider) == []


async def test_a_payment_named_by_an_older_build_is_compared_too(
    store: EventStore, provider: Provider
):
    provider.all = [a_payment("attempt_" + "0" * 32, "pay_1", "gone")]

    assert await kinds(store, provider) == [("not_in_store", "pay_1")]


async def test_a_provider_that_gives_no_answer_ends_the_comparison(store: EventStore):
    class Silent(Provider):
        async def payments(self, *_: Any, **__: Any) -> Any:
            raise Undecided("no answer")
            yield

    with pytest.raises(CannotReconcile, match="can't be read: no answer"):
        await compared(store, Silent())
