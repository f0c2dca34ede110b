"""Compares the provider's payments with those that the store has recorded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import count
from typing import Any

from domain.checkout import Checkout
from domain.events import CheckoutCompleted
from domain.payment import lineage_of
from services.event_store import Attempt, AttemptState, EventStore
from services.payment_worker.payment_gateway import PaymentGateway, ProviderPayment, Undecided

Progress = Callable[[str, int, int | None], None]
"""Gets the name of a step, how much of it is done, and of how much."""

_PAGE = 500
_CLOCK_SECONDS = 300.0
"""How far the provider's clock may differ from ours."""
_IN_WORK = (AttemptState.OPEN, AttemptState.REFUND_DUE)


class CannotReconcile(Exception):
    """Why the comparison ended before it was complete."""


class DifferenceKind(StrEnum):
    """How the provider and the store differ."""

    NOT_IN_STORE = "not_in_store"
    OTHER_AMOUNT = "other_amount"
    PAID_TWICE = "paid_twice"
    NOT_AT_PROVIDER = "not_at_provider"


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference, with the payment that it concerns. `amount` is the provider's, in minor units; the
    store's if the provider does not have the payment.
    """

    difference: DifferenceKind
    checkout_id: str
    payment_id: str
    attempt_id: str | None
    amount: int
    currency: str
    what: str

    def line(self) -> str:
        """`CHECKOUT PAYMENT: what`."""
        return f"{self.checkout_id} {self.payment_id}: {self.what}"

    def as_json(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return asdict(self)


@dataclass(slots=True)
class ReconciliationCounts:
    """`payments` of the provider and `orders` of the store were compared. `in_work` payments were left
    out: a worker is about to record or refund them.
    """

    payments: int = 0
    orders: int = 0
    in_work: int = 0
    differences: int = 0

    def line(self) -> str:
        """The counts for a person."""
        return (
            f"{self.payments} payments at the provider and {self.orders} paid orders compared, "
            f"{self.in_work} payments in work, {self.differences} differences"
        )


class Reconciliation:
    """One comparison of what happened since a time, in seconds since the epoch. It may run while the
    system runs, and changes nothing.
    """

    def __init__(
        self, store: EventStore, provider: PaymentGateway, since: float, progress: Progress
    ) -> None:
        self._store = store
        self._provider = provider
        self._since = since
        self._progress = progress
        self._lineage = store.lineage().lineage
        self._at_provider: set[str] = set()
        self._unrecorded: dict[str, str] = {}
        self.counts = ReconciliationCounts()

    async def differences(self) -> AsyncGenerator[Difference, None]:
        """Each difference. Raises `CannotReconcile` and `StoreUnavailable`."""
        started_at = time.time()
        try:
            async for difference in self._of_payments():
                self.counts.differences += 1
                yield difference
            async for difference in self._of_orders(started_at):
                self.counts.differences += 1
                yield difference
        except Undecided as undecided:
            reason = f"the provider's payments can't be read: {undecided.reason}"
            raise CannotReconcile(reason) from None

    async def _of_payments(self) -> AsyncIterator[Difference]:
        """The provider's payments that the store has not, or has otherwise."""
        # From earlier on, so that a search finds whatever this list does not have.
        since = self._since - max(self._provider.search_lag, _CLOCK_SECONDS)
        page: list[ProviderPayment] = []
        listed = count(1)
        async for payment in self._provider.payments(since=since):
            self._at_provider.add(payment.payment_id)
            self._progress("payments at the provider", next(listed), None)
            if payment.created_at >= self._since:
                page.append(payment)
            if len(page) == _PAGE:
                for difference in await asyncio.to_thread(self._compare, page):
                    yield difference
                page = []
        for difference in await asyncio.to_thread(self._compare, page):
            yield difference

    def _compare(self, payments: list[ProviderPayment]) -> list[Difference]:
        ours = [it for it in payments if lineage_of(it.attempt_id) in (None, self._lineage)]
        checkouts = self._store.current(list({it.checkout_id for it in ours}))
        self.counts.payments += len(ours)
        found = (self._difference(it, checkouts.get(it.checkout_id)) for it in ours)
        return [difference for difference in found if difference]

    def _difference(self, payment: ProviderPayment, checkout: Checkout | None) -> Difference | None:
        attempt = None
        if not _is_paid_by(checkout, payment):
            # It may be recorded meanwhile: if its attempt has ended by now, the checkout shows that.
            attempt = self._store.attempts.get(payment.attempt_id)
            checkout = self._store.current([payment.checkout_id]).get(payment.checkout_id)
        order = checkout.payment if checkout else None
        if checkout and order and order.id == payment.payment_id:
            return _amount_difference(payment, order.amount, checkout.currency)
        if payment.is_refunded or not payment.is_final:
            return None
        if attempt and attempt.state in _IN_WORK:
            self.counts.in_work += 1
            return None
        other = order.id if order else self._unrecorded.get(payment.checkout_id)
        if other:
            what = f"{_money(payment)} paid twice: the checkout was also paid as {other}"
            return _of(payment, DifferenceKind.PAID_TWICE, what)
        self._unrecorded[payment.checkout_id] = payment.payment_id
        what = f"{_money(payment)} paid, and not in the store: {_state(attempt, checkout)}"
        return _of(payment, DifferenceKind.NOT_IN_STORE, what)

    async def _of_orders(self, until: float) -> AsyncIterator[Difference]:
        """The store's payments that the provider has not."""
        position, newest = 0, await asyncio.to_thread(self._store.newest)
        while position < newest:
            rows = await asyncio.to_thread(self._store.rows, position, _PAGE)
            if not rows:
                break
            position = rows[-1].position
            self._progress("events", position, newest)
            for row in rows:
                if row.topic.partition(":")[0] != CheckoutCompleted.NAME:
                    continue
                recorded = row.event()
                if not self._since <= recorded.at.timestamp() < until:
                    continue
                if isinstance(recorded.event, CheckoutCompleted) and recorded.event.payment.amount:
                    self.counts.orders += 1
                    async for difference in self._of_order(row.checkout_id, recorded.event):
                        yield difference

    async def _of_order(
        self, checkout_id: str, order: CheckoutCompleted
    ) -> AsyncIterator[Difference]:
        payment, currency = order.payment, order.checkout.currency
        if payment.id in self._at_provider:
            return
        # Its payment may be older than the list.
        async for found in self._provider.payments(checkout_id):
            if found.payment_id == payment.id:
                difference = _amount_difference(found, payment.amount, currency)
                if difference:
                    yield difference
                return
        yield Difference(
            DifferenceKind.NOT_AT_PROVIDER,
            checkout_id,
            payment.id,
            None,
            payment.amount,
            currency,
            f"{payment.amount} {currency} in the store, and the provider has no such payment",
        )


def _amount_difference(payment: ProviderPayment, amount: int, currency: str) -> Difference | None:
    """Whether the provider took another amount than the store has recorded for the payment."""
    if not payment.is_final:
        what = f"{amount} {currency} in the store, and the provider has not taken it yet"
        return _of(payment, DifferenceKind.NOT_AT_PROVIDER, what)
    if (payment.amount, payment.currency) == (amount, currency):
        return None
    what = f"{_money(payment)} paid, and {amount} {currency} in the store"
    return _of(payment, DifferenceKind.OTHER_AMOUNT, what)


def _is_paid_by(checkout: Checkout | None, payment: ProviderPayment) -> bool:
    order = checkout.payment if checkout else None
    return order is not None and order.id == payment.payment_id


def _of(payment: ProviderPayment, kind: DifferenceKind, what: str) -> Difference:
    return Difference(
        kind,
        payment.checkout_id,
        payment.payment_id,
        payment.attempt_id or None,
        payment.amount,
        payment.currency,
        what,
    )


def _money(payment: ProviderPayment) -> str:
    refunded = f" ({payment.refunded} refunded)" if payment.refunded else ""
    return f"{payment.amount} {payment.currency}{refunded}"


def _state(attempt: Attempt | None, checkout: Checkout | None) -> str:
    if checkout is None:
        return "there is no such checkout"
    if attempt is None:
        return f"the checkout is {checkout.status}, and has no such attempt"
    return f"the checkout is {checkout.status}, the attempt is {attempt.state}"
