"""The shape of a checkout on the list."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from domain.values import Buyer, CheckoutId, LineItem, Status, Text, Total

_DateTime = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class ListedCheckout(TypedDict):
    """A checkout in short. What is not known yet is left out."""

    id: CheckoutId
    buyer: NotRequired[Buyer]
    status: Status
    currency: Annotated[Text, Field(description="Of all amounts, which are in its minor unit.")]
    line_items: list[LineItem]
    totals: Annotated[
        list[Total], Field(max_length=1, description="The row of type `total` alone.")
    ]
    created_at: _DateTime
    updated_at: Annotated[_DateTime, Field(description="When its last event happened.")]
