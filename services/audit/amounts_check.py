"""Checks whether the amounts of an event and of a checkout add up.

Line: base - discount = subtotal, subtotal + tax = total. Totals: subtotal of the lines, fulfillment
of the selected option, tax of the lines and the option and a flat one of the order, and their sum.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.checkout import Checkout, tax_of
from domain.events import (
    CheckoutCompleted,
    CheckoutPriced,
    Event,
    ItemsUpdated,
    PaymentStarted,
    UnknownEvent,
)
from domain.values import FulfillmentOption, LineItem, Total
from projections.checkout_view import render


def sums_of_event(event: Event | UnknownEvent) -> Iterator[str]:
    """What does not add up within an event."""
    if isinstance(event, ItemsUpdated):
        for line in event.line_items:
            yield from _line(line)
    elif isinstance(event, CheckoutPriced):
        for option in event.fulfillment_options:
            yield from _option(option)
        yield from _rows(event.totals)


def sums_of_payment(
    before: Checkout, event: Event | UnknownEvent, after: Checkout
) -> Iterator[str]:
    """Where a payment differs from the checkout that it is for."""
    if isinstance(event, PaymentStarted):
        if event.amount != before.total:
            yield f"a payment of {event.amount} was started for a total of {before.total}"
        if event.currency != before.currency:
            yield f"a payment in {event.currency} was started for a checkout in {before.currency}"
    elif isinstance(event, CheckoutCompleted):
        if event.payment.amount != before.total:
            yield f"{event.payment.amount} was paid for a total of {before.total}"
        if event.checkout.model_dump(mode="json") != render(after):
            yield "the checkout that it carries is not the one that the events before it lead to"


def sums_of_checkout(checkout: Checkout) -> Iterator[str]:
    """Where the totals of a checkout differ from its lines and its option."""
    lines, option = checkout.line_items, checkout.selected_option
    if checkout.fulfillment_option_id and option is None:
        yield f"the selected option {checkout.fulfillment_option_id} is not on offer"
    expected = ["subtotal"]
    expected += ["fulfillment"] if option else []
    expected += ["tax"] if checkout.fulfillment_address else []
    rows = {row.type: row.amount for row in checkout.totals}
    if list(rows) != [*expected, "total"] or len(rows) != len(checkout.totals):
        found = ", ".join(row.type for row in checkout.totals) or "none"
        yield f"the totals should be {', '.join(expected)} and total, and are {found}"
        return
    subtotal = sum(line.subtotal for line in lines)
    if rows["subtotal"] != subtotal:
        yield f"the subtotal is {rows['subtotal']}, and the lines come to {subtotal}"
    if option and rows["fulfillment"] != option.subtotal:
        yield f"the fulfillment is {rows['fulfillment']}, and {option.id} costs {option.subtotal}"
    taxes = tax_of(lines, option)
    if "tax" in rows and rows["tax"] < taxes:
        yield f"the tax is {rows['tax']}, and the lines and the option alone have {taxes}"
    elif "tax" in rows and rows["tax"] != taxes + checkout.order_tax:
        yield (
            f"the tax is {rows['tax']}, and the lines, the option and the order come to "
            f"{taxes + checkout.order_tax}"
        )


def _line(line: LineItem) -> Iterator[str]:
    if line.base_amount - line.discount != line.subtotal:
        yield (
            f"{line.id}: base {line.base_amount} - discount {line.discount} "
            f"is not subtotal {line.subtotal}"
        )
    yield from _taxed(line.id, line)
    if line.id != line.item.id:
        yield f"the line {line.id} is of item {line.item.id}"
    for name in ("base_amount", "discount"):
        amount = getattr(line, name)
        if amount % line.item.quantity:
            yield f"{line.id}: {name} {amount} is no multiple of its quantity {line.item.quantity}"


def _option(option: FulfillmentOption) -> Iterator[str]:
    yield from _taxed(option.id, option)


def _taxed(name: str, priced: LineItem | FulfillmentOption) -> Iterator[str]:
    if priced.subtotal + priced.tax != priced.total:
        yield f"{name}: subtotal {priced.subtotal} + tax {priced.tax} is not total {priced.total}"


def _rows(totals: tuple[Total, ...]) -> Iterator[str]:
    if not totals or totals[-1].type != "total":
        yield "the totals don't end with a total"
        return
    *parts, last = totals
    total = sum(row.amount for row in parts)
    if last.amount != total:
        yield f"the total is {last.amount}, and its parts come to {total}"
