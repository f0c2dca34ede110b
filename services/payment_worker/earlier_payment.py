"""Finds the payment of a checkout that the store has lost, before its buyer is charged again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from domain.payment import lineage_of
from services.event_store import Attempt, EventStore
from services.payment_worker.payment_gateway import (
    Paid,
    PaymentGateway,
    ProviderPayment,
    Undecided,
)

_CLOCK_SECONDS = 300.0
"""How far the provider's clock may differ from ours."""
_MARGIN_SECONDS = 3_600.0
"""How long before the provider forgets an idempotency key the key is no longer relied on."""


async def earlier_payment(
    attempt: Attempt, store: EventStore, provider: PaymentGateway
) -> Paid | None:
    """The payment that was taken for the attempt's checkout in history that the store has lost.

    None if the buyer can be charged: the store is in its first epoch, so it has lost nothing, or the
    provider has no such payment. Raises `Undecided`, for an operator if it can't tell which payment, or
    whether the payment is this attempt's.
    """
    lineage = await asyncio.to_thread(store.lineage)
    if lineage.epoch == 0:
        return None
    found = await _payments_of(attempt.checkout_id, lineage.epoch, provider)
    ours = [it for it in found if lineage_of(it.attempt_id) in (None, lineage.lineage)]
    paid = _only_payment(attempt, ours, time.time() - provider.key_retention + _MARGIN_SECONDS)
    if paid and paid.attempt_id != attempt.attempt_id:
        await _check_is_lost(paid, store)
    return Paid(paid.payment_id) if paid else None


async def _payments_of(
    checkout_id: str, epoch_began_at: float, provider: PaymentGateway
) -> Iterable[ProviderPayment]:
    """Search for them, and list what was lost so recently that the search may miss it."""
    found = {it.payment_id: it async for it in provider.payments(checkout_id)}
    since = time.time() - provider.search_lag - _CLOCK_SECONDS
    until = epoch_began_at + _CLOCK_SECONDS
    if provider.search_lag and since < until:
        async for it in provider.payments(since=since, until=until):
            if it.checkout_id == checkout_id:
                found[it.payment_id] = it
    return found.values()


def _only_payment(
    attempt: Attempt, found: Iterable[ProviderPayment], remembered_since: float
) -> ProviderPayment | None:
    """The one payment among them that pays for the attempt. Raises `Undecided`.

    The provider remembers the idempotency keys of payments created after `remembered_since`.
    """
    # A charge would get this attempt's own payment again, refunded or not.
    kept = [it for it in found if not it.is_refunded or it.attempt_id == attempt.attempt_id]
    if not kept:
        return None
    if len(kept) > 1:
        listed = ", ".join(sorted(it.payment_id for it in kept))
        raise _for_an_operator(f"several payments of this checkout: {listed}")
    [paid] = kept
    if not paid.is_final:
        if paid.attempt_id == attempt.attempt_id and paid.created_at > remembered_since:
            return None  # A charge with the same key finds it, and brings it to an end.
        raise Undecided(f"the earlier payment {paid.payment_id} of this checkout has not ended yet")
    if lineage_of(paid.attempt_id) is None and paid.attempt_id != attempt.attempt_id:
        raise _for_an_operator(f"payment {paid.payment_id}, of another build or system")
    if (paid.amount, paid.currency, paid.refunded) != (attempt.amount, attempt.currency, 0):
        money = f"{paid.amount} {paid.currency}, {paid.refunded} of it refunded"
        raise _for_an_operator(f"payment {paid.payment_id} of another amount: {money}")
    return paid


async def _check_is_lost(paid: ProviderPayment, store: EventStore) -> None:
    """Raises `Undecided` if the store knows the payment's attempt, which then is not lost history."""
    known = await asyncio.to_thread(store.attempts.get, paid.attempt_id)
    if known:
        raise _for_an_operator(f"payment {paid.payment_id} of attempt {paid.attempt_id}")


def _for_an_operator(found: str) -> Undecided:
    return Undecided(f"history was lost, and the provider has {found}", needs_hand=True)
