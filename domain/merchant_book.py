"""The rules of the merchant book: items and prices, fulfillment options, taxes.

Amounts are integers in minor units, rates in basis points (1/100 of a percent).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, StrictInt, StrictStr, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from domain.values import (
    Address,
    Country,
    FulfillmentOption,
    Link,
    PaymentProvider,
    Text,
    Value,
)

MAX_UNIT_AMOUNT = 1_000_000_000
"""Keeps the largest total (200 lines of 10,000, taxed at 100 %) exact as a JSON number (2^53)."""

UnitAmount = Annotated[StrictInt, Field(ge=0, le=MAX_UNIT_AMOUNT)]


class BookItem(Value):
    """An item for sale. `discount` is per unit, and at most the unit's price."""

    id: Text
    title: Text
    unit_amount: UnitAmount
    tax_class: Text = "standard"
    discount: UnitAmount = 0

    @model_validator(mode="after")
    def _discount_within_price(self) -> Self:
        if self.discount > self.unit_amount:
            raise ValueError("discount must not exceed unit_amount")
        return self


class Place(Value):
    """Where a rule applies: everywhere, in a country, or in a region of it (an address's `state`)."""

    country: Country | None = None
    region: Text | None = None

    @model_validator(mode="after")
    def _region_within_country(self) -> Self:
        if self.region is not None and self.country is None:
            raise ValueError("region needs a country")
        return self

    def covers(self, address: Address) -> bool:
        """Whether the address is in this place. Regions are compared case-insensitively."""
        return (self.country is None or self.country == address.country) and (
            self.region is None or self.region.casefold() == address.state.casefold()
        )

    @property
    def place(self) -> tuple[str | None, str | None]:
        """The place as a comparable pair."""
        return (self.country, self.region.casefold() if self.region else None)

    @property
    def precision(self) -> int:
        """0 for everywhere, 1 for a country, 2 for a region of it."""
        return (self.country is not None) + (self.region is not None)


class BookOption(Place):
    """A fulfillment option, and the place where it is offered."""

    type: Text = "shipping"
    id: Text
    title: Text
    subtitle: Text | None = None
    carrier: Text | None = None
    subtotal: UnitAmount
    tax: UnitAmount = 0

    def offer(self) -> FulfillmentOption:
        """The option as a checkout shows it."""
        return FulfillmentOption(
            type=self.type,
            id=self.id,
            title=self.title,
            subtitle=self.subtitle,
            carrier=self.carrier,
            subtotal=self.subtotal,
            tax=self.tax,
            total=self.subtotal + self.tax,
        )


class TaxRate(Place):
    """A tax on a line's subtotal, for items of one tax class; without a class, for all items."""

    tax_class: Text | None = None
    basis_points: Annotated[StrictInt, Field(ge=0, le=10_000)]


class OrderTax(Place):
    """A flat tax on the whole order."""

    amount: UnitAmount


class MerchantBook(Value):
    """The merchant's rules. Of the tax rules that match, the most specific applies: a region before a
    country before everywhere, and within a place a rule for the item's class before one for all classes.
    """

    currency: Annotated[StrictStr, Field(pattern=r"^[a-z]{3}$")]
    payment_provider: PaymentProvider
    links: tuple[Link, ...] = ()
    items: Annotated[tuple[BookItem, ...], Field(min_length=1)]
    fulfillment_options: tuple[BookOption, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()
    order_taxes: tuple[OrderTax, ...] = ()

    @model_validator(mode="after")
    def _without_repeats(self) -> Self:
        _unique("items", "id", (item.id for item in self.items))
        _unique("fulfillment_options", "id", (option.id for option in self.fulfillment_options))
        _unique("tax_rates", "place and class", ((*r.place, r.tax_class) for r in self.tax_rates))
        _unique("order_taxes", "place", (tax.place for tax in self.order_taxes))
        return self

    @cached_property
    def _items_by_id(self) -> dict[str, BookItem]:
        return {item.id: item for item in self.items}

    def item(self, item_id: str) -> BookItem | None:
        """The item with this id; None if it is not for sale."""
        return self._items_by_id.get(item_id)

    def options_for(self, address: Address | None) -> tuple[FulfillmentOption, ...]:
        """The options offered for an address, in the book's order; none without an address."""
        if address is None:
            return ()
        return tuple(o.offer() for o in self.fulfillment_options if o.covers(address))

    def tax_rate(self, address: Address, tax_class: str) -> int:
        """The rate in basis points for a line of this class at this address; 0 if no rule matches."""
        matching = (
            rate
            for rate in self.tax_rates
            if rate.covers(address) and rate.tax_class in (None, tax_class)
        )
        best = max(matching, key=lambda r: (r.precision, r.tax_class is not None), default=None)
        return best.basis_points if best else 0

    def order_tax(self, address: Address | None) -> int:
        """The flat tax on an order to this address; 0 without an address or a matching rule."""
        if address is None:
            return 0
        matching = (tax for tax in self.order_taxes if tax.covers(address))
        best = max(matching, key=lambda tax: tax.precision, default=None)
        return best.amount if best else 0


def _unique(table: str, what: str, keys: Iterable[Hashable]) -> None:
    seen = set[Hashable]()
    for index, key in enumerate(keys):
        if key in seen:
            problem = PydanticCustomError(
                "repeated", "there is another entry of the same {what}", {"what": what}
            )
            repeated = InitErrorDetails(type=problem, loc=(table, index), input=key)
            raise ValidationError.from_exception_data(table, [repeated])
        seen.add(key)
