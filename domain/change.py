"""Create and update: what a command changes, first the facts, then the quote over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.checkout import Checkout
from domain.commands import CreateCheckout, UpdateCheckout
from domain.events import (
    BuyerUpdated,
    CheckoutCreated,
    CheckoutPricedV2,
    Event,
    FulfillmentAddressUpdated,
    FulfillmentOptionSelected,
    ItemsUpdated,
)
from domain.fulfillment import MISSING, select, select_requested, what_is_missing
from domain.merchant_book import MerchantBook
from domain.pricing import price_lines, tax_lines, total_up
from domain.values import Address, Buyer, LineItem, Message, Status

_REPRICING = (ItemsUpdated, FulfillmentAddressUpdated)
"""The events after which options and tax come from the merchant book again."""

Change = CreateCheckout | UpdateCheckout
"""Both name the facts to replace; the fields that were not sent leave a fact as it is."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What clients determine about a checkout. A new checkout starts from none."""

    lines: tuple[LineItem, ...] = ()
    buyer: Buyer | None = None
    address: Address | None = None
    choice: str | None = None

    @classmethod
    def of(cls, checkout: Checkout) -> Facts:
        """The facts of a checkout as it is now."""
        return cls(
            checkout.line_items, checkout.buyer, checkout.fulfillment_address, checkout.choice
        )


def create(command: CreateCheckout, book: MerchantBook) -> tuple[Event, ...]:
    """The events that open a checkout. Raises `Rejection` for what the merchant does not offer."""
    opened = CheckoutCreated(
        currency=book.currency, payment_provider=book.payment_provider, links=book.links
    )
    facts = _apply(Facts(), command, book)
    return (opened, *_differences(Facts(), facts), _quote((), None, facts, command, book))


def update(checkout: Checkout, command: UpdateCheckout, book: MerchantBook) -> tuple[Event, ...]:
    """The events of an update: none if nothing changes. Raises `Rejection` as `create` does."""
    before = Facts.of(checkout)
    facts = _apply(before, command, book)
    differences = _differences(before, facts)
    quote = _quote(differences, checkout, facts, command, book)
    if any(isinstance(it, ItemsUpdated) for it in differences) or _is_new(quote, checkout):
        return (*differences, quote)
    return differences


def _apply(before: Facts, change: Change, book: MerchantBook) -> Facts:
    sent = change.model_fields_set
    address = change.fulfillment_address if "fulfillment_address" in sent else before.address
    if "items" in sent:
        lines = price_lines(change.items, address, book)
    elif address != before.address:
        lines = tax_lines(before.lines, address, book)
    else:
        lines = before.lines
    return Facts(
        lines,
        change.buyer if "buyer" in sent else before.buyer,
        address,
        change.fulfillment_option_id if "fulfillment_option_id" in sent else before.choice,
    )


def _differences(before: Facts, facts: Facts) -> tuple[Event, ...]:
    """An event for each fact that differs."""
    events: list[Event] = []
    if facts.lines != before.lines:
        events.append(ItemsUpdated(line_items=facts.lines))
    if facts.buyer != before.buyer:
        events.append(BuyerUpdated(buyer=facts.buyer))
    if facts.address != before.address:
        events.append(FulfillmentAddressUpdated(fulfillment_address=facts.address))
    if facts.choice != before.choice:
        events.append(FulfillmentOptionSelected(fulfillment_option_id=facts.choice))
    return tuple(events)


def _quote(
    differences: Sequence[Event],
    checkout: Checkout | None,
    facts: Facts,
    change: Change,
    book: MerchantBook,
) -> CheckoutPricedV2:
    """Options, totals and status for these facts; offers and tax are recorded unless lines or address
    change.
    """
    recorded = checkout.fulfillment_options if checkout else ()
    if checkout is None or any(isinstance(it, _REPRICING) for it in differences):
        options, order_tax = book.options_for(facts.address), book.order_tax(facts.address)
    else:
        options, order_tax = recorded, checkout.order_tax
    if "fulfillment_option_id" in change.model_fields_set:
        selection = select_requested(options, facts.choice)
    else:
        selection = select(options, facts.choice, recorded)
    selected = selection.option.id if selection.option else None
    missing = what_is_missing(facts.lines, facts.address, selection.option)
    return CheckoutPricedV2(
        fulfillment_options=options,
        fulfillment_option_id=selected,
        order_tax=order_tax,
        choice_ended=None not in (facts.choice, selected) and selected != facts.choice,
        totals=total_up(facts.lines, selection.option, facts.address, order_tax),
        status=Status.NOT_READY_FOR_PAYMENT if missing else Status.READY_FOR_PAYMENT,
        messages=(*selection.notes, *missing),
    )


def _is_new(quote: CheckoutPricedV2, checkout: Checkout) -> bool:
    """Whether an amount, an option, the status or what is missing changed.

    Notes do not count: a note about a replaced option stays until one of the others changes.
    """
    return (
        quote.fulfillment_options != checkout.fulfillment_options
        or quote.fulfillment_option_id != checkout.fulfillment_option_id
        or quote.totals != checkout.totals
        or quote.status != checkout.status
        or _missing_in(quote.messages) != _missing_in(checkout.messages)
    )


def _missing_in(messages: tuple[Message, ...]) -> list[Message]:
    return [message for message in messages if message.code == MISSING]
