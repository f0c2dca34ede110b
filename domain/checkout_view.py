"""The shape of a checkout as it is shown: to readers, in replies, and in the event that completes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field

from domain.values import (
    Address,
    Buyer,
    CheckoutId,
    FulfillmentOption,
    LineItem,
    Link,
    Message,
    Payment,
    PaymentProvider,
    SparseValue,
    Status,
    Text,
    Total,
)


class CheckoutView(SparseValue):
    """A checkout as it is shown. What is not known yet is left out."""

    model_config = ConfigDict(title="Checkout")

    id: CheckoutId
    buyer: Buyer | None = None
    payment_provider: Annotated[
        PaymentProvider | None, Field(description="Left out once the checkout is closed.")
    ] = None
    status: Status
    currency: Annotated[Text, Field(description="Of all amounts, which are in its minor unit.")]
    order_id: Annotated[Text | None, Field(description="There once it is completed.")] = None
    payment: Annotated[Payment | None, Field(description="There once it is completed.")] = None
    line_items: tuple[LineItem, ...]
    fulfillment_address: Address | None = None
    fulfillment_options: tuple[FulfillmentOption, ...]
    fulfillment_option_id: Annotated[
        Text | None,
        Field(description="The selected option: the one asked for, else the merchant's first."),
    ] = None
    totals: Annotated[
        tuple[Total, ...],
        Field(description="Subtotal, fulfillment, tax and total, as far as they are known."),
    ]
    messages: tuple[Message, ...]
    links: tuple[Link, ...]
    canceled_at: AwareDatetime | None = None
