"""The immutable values of a checkout. Amounts are integers in the currency's minor unit (cents)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StrictInt,
    StrictStr,
    ValidationInfo,
    model_serializer,
)

from domain.countries import COUNTRIES

MAX_LINES = 200
MAX_QUANTITY = 10_000
MAX_TEXT = 500
CHECKOUT_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"


STORED = {"stored": True}
"""Validation context for stored data, so that a country code withdrawn since stays readable."""


def _known_country(code: str, info: ValidationInfo) -> str:
    if code not in COUNTRIES and not info.context:
        raise ValueError("must be an ISO 3166-1 alpha-2 country code in upper case, such as US")
    return code


Text = Annotated[StrictStr, Field(min_length=1, max_length=MAX_TEXT)]
Quantity = Annotated[StrictInt, Field(ge=1, le=MAX_QUANTITY)]
Amount = Annotated[StrictInt, Field(ge=0)]
Country = Annotated[
    StrictStr,
    AfterValidator(_known_country),
    Field(json_schema_extra={"pattern": "^[A-Z]{2}$", "examples": ["US"]}),
]
CheckoutId = Annotated[StrictStr, Field(pattern=CHECKOUT_ID_PATTERN)]


class Value(BaseModel):
    """Immutable, exact about JSON types, and closed: an unknown field is an error."""

    # Errors are logged and must not quote the input, which may be personal data.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SparseValue(Value):
    """A value whose absent optional fields are left out of its JSON."""

    @model_serializer(mode="wrap")
    def _without_absent_fields(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: value for name, value in handler(self).items() if value is not None}


class Status(StrEnum):
    """Where a checkout stands."""

    NOT_READY_FOR_PAYMENT = "not_ready_for_payment"
    READY_FOR_PAYMENT = "ready_for_payment"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELED = "canceled"


CLOSED = frozenset({Status.COMPLETED, Status.CANCELED})


class Item(Value):
    """An item of the merchant's book and how many of it."""

    id: Text
    quantity: Quantity


class Buyer(SparseValue):
    """Who buys."""

    first_name: Text
    last_name: Text
    email: Text
    phone_number: Text | None = None


class Address(SparseValue):
    """Where to ship. `country` is ISO 3166-1 alpha-2, `state` the merchant's region."""

    name: Text
    line_one: Text
    line_two: Text | None = None
    city: Text
    state: Text
    country: Country
    postal_code: Text


class LineItem(Value):
    """A priced line: `base_amount - discount = subtotal`, `subtotal + tax = total`."""

    id: Text
    item: Item
    base_amount: Amount
    discount: Amount
    total: Amount
    subtotal: Amount
    tax: Amount


class FulfillmentOption(SparseValue):
    """A way to ship that the merchant offers, with its price."""

    type: Text
    id: Text
    title: Text
    subtitle: Text | None = None
    carrier: Text | None = None
    subtotal: Amount
    tax: Amount
    total: Amount


class Total(Value):
    """One row of the totals."""

    type: Literal["subtotal", "fulfillment", "tax", "total"]
    display_text: Text
    amount: Amount


class Message(SparseValue):
    """What the buyer should know: what is missing (`error`) or what has happened (`info`)."""

    type: Literal["error", "info"]
    code: Text | None = None
    param: Text | None = None
    content_type: Literal["plain"] = "plain"
    content: Annotated[StrictStr, Field(min_length=1)]


class PaymentProvider(Value):
    """Who takes the payment, and how one may pay."""

    provider: Text
    supported_payment_methods: tuple[Text, ...]


class Payment(Value):
    """A payment that was taken. `id` is its name at the provider, `amount` what was charged."""

    id: Text
    status: Literal["succeeded"] = "succeeded"
    amount: Amount
    provider: Text


class Link(Value):
    """A policy or agreement of the merchant."""

    type: Text
    url: Text
