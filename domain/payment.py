"""What follows from completing a checkout, and from how its payment ends."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from domain.checkout import Checkout, completed
from domain.commands import CompleteCheckout, RecordDecline, RecordPayment
from domain.events import (
    BuyerUpdated,
    CheckoutCompleted,
    Event,
    PaymentDeclined,
    PaymentStarted,
)
from domain.presentation import view_of
from domain.rejection import Rejection, RejectionCode, invalid
from domain.values import Payment


def complete(checkout: Checkout, command: CompleteCheckout, command_key: str) -> tuple[Event, ...]:
    """A payment attempt over the recorded total; an order at once if there is nothing to pay.

    The attempt's id is made of what identifies the command: should the store ever lose the attempt and
    get the command again, the provider still knows it. Raises `Rejection`, and `ValueError` without a key.
    """
    if not command_key:
        raise ValueError("a payment attempt is made of its command's key, and there is none")
    provider = checkout.payment_provider.provider
    if command.payment_data.provider != provider:
        raise invalid(f"this checkout is paid through {provider}", "$.payment_data.provider")
    buyer = command.buyer or checkout.buyer
    changed = () if buyer == checkout.buyer else (BuyerUpdated(buyer=buyer),)
    attempt_id = f"attempt_{_digest(command_key)}"
    if checkout.total == 0:
        free = Payment(id=attempt_id, amount=0, provider=provider)
        return (*changed, _order(replace(checkout, buyer=buyer), free))
    started = PaymentStarted(
        attempt_id=attempt_id, amount=checkout.total, currency=checkout.currency, provider=provider
    )
    return (*changed, started)


def end_payment(checkout: Checkout, command: RecordPayment | RecordDecline) -> tuple[Event, ...]:
    """How the running attempt ended. Raises `Rejection` if it is not running any more, unless it ended
    with this very payment.
    """
    attempt = checkout.attempt
    if attempt is None or attempt.attempt_id != command.attempt_id:
        if isinstance(command, RecordPayment) and _took(checkout, command.payment_id):
            return ()
        raise Rejection(
            RejectionCode.ATTEMPT_CLOSED, "this payment attempt is not running any more"
        )
    if isinstance(command, RecordDecline):
        return (
            PaymentDeclined(
                attempt_id=command.attempt_id, code=command.code, message=command.message
            ),
        )
    payment = Payment(id=command.payment_id, amount=attempt.amount, provider=attempt.provider)
    return (_order(checkout, payment),)


def _took(checkout: Checkout, payment_id: str) -> bool:
    return checkout.payment is not None and checkout.payment.id == payment_id


def _order(checkout: Checkout, payment: Payment) -> CheckoutCompleted:
    """A checkout becomes one order at most, so the order's id is made of its id."""
    order_id = f"order_{_digest(checkout.id)}"
    ordered = completed(checkout, order_id, payment)
    return CheckoutCompleted(order_id=order_id, payment=payment, checkout=view_of(ordered))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
