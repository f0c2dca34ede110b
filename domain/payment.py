"""Complete a checkout, and record how its payment ended."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from domain.checkout import Checkout, completed
from domain.commands import CompleteCheckout, PaymentOutcome, RecordPayment
from domain.decision import CloseAttempt, Decision, OpenAttempt
from domain.events import (
    BuyerUpdated,
    CheckoutCompleted,
    Event,
    PaymentDeclined,
    PaymentStartedV2,
    UnknownEvent,
)
from domain.presentation import view_of
from domain.rejection import Rejection, RejectionCode, invalid
from domain.values import Payment

_ATTEMPT = "attempt_"


def attempt_id_of(lineage: str, checkout_id: str, version: int) -> str:
    """The id of the attempt to pay for a version of a checkout, and its idempotency key at the provider.

    A version is paid for once, whatever command asks for it. A store that is restored to before the
    payment keeps its lineage, so it names the next attempt as before, and the provider recognizes it.
    At most 255 characters, Stripe's limit for an idempotency key.
    """
    return f"{_ATTEMPT}{lineage}_{checkout_id}_{version}"


def lineage_of(attempt_id: str) -> str | None:
    """The lineage in an attempt's id; None in an older id, which was derived from the command."""
    lineage, _, more = attempt_id.removeprefix(_ATTEMPT).partition("_")
    return lineage if more else None


def complete(checkout: Checkout, command: CompleteCheckout, lineage: str) -> Decision:
    """Start a payment of the recorded total; a total of 0 becomes an order at once.

    `lineage` is the store's; see `attempt_id_of`. Raises `Rejection`, and `ValueError` without a lineage.
    """
    if not lineage:
        raise ValueError("a payment attempt's id names the store's lineage; none was given")
    provider = checkout.payment_provider.provider
    if command.payment_data.provider != provider:
        raise invalid(f"this checkout is paid through {provider}", "$.payment_data.provider")
    buyer = command.buyer or checkout.buyer
    changed = () if buyer == checkout.buyer else (BuyerUpdated(buyer=buyer),)
    attempt_id = attempt_id_of(lineage, checkout.id, checkout.version)
    if checkout.total == 0:
        free = Payment(id=attempt_id, amount=0, provider=provider)
        return Decision((*changed, _order(replace(checkout, buyer=buyer), free)))
    started = PaymentStartedV2(
        attempt_id=attempt_id,
        amount=checkout.total,
        currency=checkout.currency,
        provider=provider,
        lineage=lineage,
    )
    return Decision((*changed, started), (OpenAttempt(started, command.payment_data),))


def end_payment(checkout: Checkout, outcome: PaymentOutcome) -> Decision:
    """End the running attempt. Raises `Rejection` if the attempt is not running, unless it ended with
    the same payment.
    """
    attempt = checkout.attempt
    if attempt is None or attempt.attempt_id != outcome.attempt_id:
        if isinstance(outcome, RecordPayment) and _is_paid_by(checkout, outcome.payment_id):
            return Decision(())
        raise Rejection(
            RejectionCode.ATTEMPT_CLOSED, "this payment attempt is not running any more"
        )
    if isinstance(outcome, RecordPayment):
        payment = Payment(id=outcome.payment_id, amount=attempt.amount, provider=attempt.provider)
        closed = CloseAttempt(attempt.attempt_id, payment_id=outcome.payment_id)
        return Decision((_order(checkout, payment),), (closed,))
    declined = PaymentDeclined(
        attempt_id=attempt.attempt_id, code=outcome.code, message=outcome.message
    )
    closed = CloseAttempt(attempt.attempt_id, rejection=rejection_of(declined))
    return Decision((declined,), (closed,))


def rejection_of(end: Event | UnknownEvent) -> Rejection | None:
    """The answer to a complete whose payment ended with this event: a rejection if it was declined."""
    if not isinstance(end, PaymentDeclined):
        return None
    return Rejection(RejectionCode.PAYMENT_DECLINED, end.message, "$.payment_data")


def _is_paid_by(checkout: Checkout, payment_id: str) -> bool:
    return checkout.payment is not None and checkout.payment.id == payment_id


def _order(checkout: Checkout, payment: Payment) -> CheckoutCompleted:
    """A checkout becomes one order at most, so the order's id is derived from the checkout's id."""
    order_id = f"order_{_digest(checkout.id)}"
    ordered = completed(checkout, order_id, payment)
    return CheckoutCompleted(order_id=order_id, payment=payment, checkout=view_of(ordered))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
