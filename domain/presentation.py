"""How a checkout is shown: from its state to its view."""

from __future__ import annotations

from datetime import UTC

from domain.checkout import Checkout
from domain.checkout_view import CheckoutView


def view_of(checkout: Checkout) -> CheckoutView:
    """A checkout as it is shown now."""
    canceled_at = checkout.canceled_at
    # Each part was validated when its event was made or read.
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
        messages=checkout.messages,
        links=checkout.links,
        canceled_at=canceled_at.astimezone(UTC) if canceled_at else None,
    )
