"""How a checkout is shown: its view, and the messages for people that follow from its state."""

from __future__ import annotations

from datetime import UTC

from domain.checkout import Checkout
from domain.checkout_view import CheckoutView
from domain.values import Message

DECLINED = "payment_declined"
"""The code of the message about a declined payment, shown until something changes."""


def view_of(checkout: Checkout) -> CheckoutView:
    """The checkout as it is shown now."""
    canceled_at = checkout.canceled_at
    # Each part was validated when its event was decided or read.
    return CheckoutView.model_construct(
        id=checkout.id,
        buyer=checkout.buyer,
        payment_provider=None if checkout.is_closed else checkout.payment_provider,
        status=checkout.status,
        currency=checkout.currency,
        order_id=checkout.order_id,
        payment=checkout.payment,
        line_items=checkout.line_items,
        fulfillment_address=checkout.fulfillment_address,
        fulfillment_options=checkout.fulfillment_options,
        fulfillment_option_id=checkout.fulfillment_option_id,
        totals=checkout.totals,
        messages=messages_of(checkout),
        links=checkout.links,
        canceled_at=canceled_at.astimezone(UTC) if canceled_at else None,
    )


def messages_of(checkout: Checkout) -> tuple[Message, ...]:
    """The messages of the last quote, and the message about a decline or the cancellation."""
    if checkout.cancellation:
        message = checkout.cancellation.message
        content = f"Checkout cancelled: {message}" if message else "Checkout cancelled"
        return (Message(type="info", content=content),)
    if checkout.decline is None:
        return checkout.messages
    content = checkout.decline.message
    declined = Message(type="error", code=DECLINED, param="$.payment_data", content=content)
    return (*checkout.messages, declined)


def not_ready_sentence(checkout: Checkout) -> str:
    """Why the checkout can't be paid yet, for the client that tried to complete it."""
    missing = [m.param.removeprefix("$.") for m in checkout.messages if m.param]
    verb = "is" if len(missing) == 1 else "are"
    return f"the checkout is not ready for payment: {', '.join(missing)} {verb} missing"
