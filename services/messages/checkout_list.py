"""The JSON of the list of checkouts."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from domain.values import Buyer, CheckoutId, LineItem, SparseValue, Status, Text, Total, Value


class ListedCheckout(SparseValue):
    """A checkout in short. What is not known yet is left out."""

    id: CheckoutId
    buyer: Buyer | None = None
    status: Status
    currency: Annotated[Text, Field(description="Of all amounts, which are in its minor unit.")]
    line_items: tuple[LineItem, ...]
    totals: Annotated[
        tuple[Total, ...], Field(max_length=1, description="The row of type `total` alone.")
    ]
    created_at: AwareDatetime
    updated_at: Annotated[AwareDatetime, Field(description="When its last event happened.")]


class CheckoutPage(Value):
    """Some of the checkouts that match a filter, newest first."""

    data: tuple[ListedCheckout, ...]
    has_more: Annotated[bool, Field(description="Whether there are older ones after these.")]
    total_count: Annotated[
        int, Field(ge=0, description="How many the filter leaves, whatever the `cursor`.")
    ]
