"""Describes in words what an event changed. Amounts are integers in minor units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from domain.checkout import Checkout
from domain.events import (
    BuyerUpdated,
    CheckoutCanceled,
    CheckoutCompleted,
    CheckoutCreated,
    CheckoutPriced,
    Event,
    FulfillmentAddressUpdated,
    FulfillmentOptionSelected,
    ItemsUpdated,
    PaymentDeclined,
    PaymentStarted,
    UnknownEvent,
)
from domain.presentation import messages_of
from domain.values import Address, Buyer, FulfillmentOption, LineItem, Message, Total

_NOTHING = "nothing that is shown"


def describe(before: Checkout | None, event: Event | UnknownEvent) -> list[str]:
    """What an event changed in a checkout: a clause for each change, at least one.

    `before` is the checkout before the event; None if it did not exist or can't be folded.
    """
    return list(_clauses(before, event)) or [_NOTHING]


def _clauses(  # noqa: C901 - a case each
    before: Checkout | None, event: Event | UnknownEvent
) -> Iterator[str]:
    match event:
        case CheckoutCreated():
            yield f"created in {event.currency}, to be paid through {event.payment_provider.provider}"
        case ItemsUpdated():
            yield from _lines(before.line_items if before else (), event.line_items)
        case BuyerUpdated():
            was = before.buyer if before else None
            yield _replaced("buyer", _buyer(was), _buyer(event.buyer))
        case FulfillmentAddressUpdated():
            old = before.fulfillment_address if before else None
            yield _replaced("address", _address(old), _address(event.fulfillment_address))
        case FulfillmentOptionSelected():
            asked = event.fulfillment_option_id
            yield f"asked for {asked}" if asked else "asked for the merchant's first offer"
        case CheckoutPriced():
            yield from _priced(before, event)
        case CheckoutCanceled():
            yield _ended("canceled", event.reason, event.message)
        case PaymentStarted():
            yield (
                f"payment of {event.amount} {event.currency} started through {event.provider} "
                f"({event.attempt_id})"
            )
        case PaymentDeclined():
            yield f"{_ended('payment declined', event.code, event.message)} ({event.attempt_id})"
        case CheckoutCompleted():
            payment = event.payment
            yield f"completed as {event.order_id}"
            yield f"{payment.amount} paid through {payment.provider} ({payment.id})"
        case UnknownEvent():
            yield f"unknown event topic {event.topic()}: recorded by a later build"
        case _:
            assert_never(event)


def _replaced(name: str, old: str | None, new: str | None) -> str:
    if new is None:
        return f"{name} cleared, was {old}" if old else f"{name} cleared"
    return f"{name}: {old} → {new}" if old else f"{name}: {new}"


def _ended(what: str, reason: str | None, message: str | None) -> str:
    reasons = ", ".join(filter(None, (reason, f'"{message}"' if message else None)))
    return f"{what}: {reasons}" if reasons else what


def _lines(old: tuple[LineItem, ...], new: tuple[LineItem, ...]) -> Iterator[str]:
    were, are = ({line.id: line for line in lines} for lines in (old, new))
    for line in new:
        if line.id not in were:
            yield f"{line.id} {_times(line)} added at {line.subtotal}"
        else:
            yield from _line(were[line.id], line)
    for line in old:
        if line.id not in are:
            yield f"{line.id} {_times(line)} removed"
    yield from _amount("subtotal", sum(x.subtotal for x in old), sum(x.subtotal for x in new))


def _line(old: LineItem, new: LineItem) -> Iterator[str]:
    parts = []
    if old.item.quantity != new.item.quantity:
        parts.append(f"{_times(old)} → {_times(new)}")
    else:
        for name in ("base_amount", "discount"):
            parts += _amount(name, getattr(old, name), getattr(new, name))
    parts += _amount("tax", old.tax, new.tax)
    if parts:
        yield f"{new.id} {', '.join(parts)}"


def _times(line: LineItem) -> str:
    return f"× {line.item.quantity}"


def _amount(name: str, old: int | None, new: int | None) -> Iterator[str]:
    if old != new:
        yield f"{name} {_or_none(old)} → {_or_none(new)}"


def _priced(before: Checkout | None, event: CheckoutPriced) -> Iterator[str]:
    old = before.fulfillment_options if before else ()
    if event.fulfillment_options != old:
        yield f"on offer: {_offers(event.fulfillment_options)}"
    selected = before.fulfillment_option_id if before else None
    if event.fulfillment_option_id != selected:
        yield f"selected: {_or_none(selected)} → {_or_none(event.fulfillment_option_id)}"
    were, are = _rows(before.totals if before else ()), _rows(event.totals)
    for kind in ("subtotal", "fulfillment", "tax"):
        yield from _amount(kind, were.get(kind), are.get(kind))
    if before is None or before.status != event.status:
        yield f"status: {before.status if before else 'none'} → {event.status}"
    if before is None or messages_of(before) != event.messages:
        yield from _messages(event.messages)


def _rows(totals: Iterable[Total]) -> dict[str, int]:
    return {row.type: row.amount for row in totals}


def _offers(options: tuple[FulfillmentOption, ...]) -> str:
    return ", ".join(f"{option.id} at {option.subtotal}" for option in options) or "nothing"


def _messages(messages: tuple[Message, ...]) -> Iterator[str]:
    missing = [message.param or message.content for message in messages if message.type == "error"]
    if missing:
        yield f"missing: {', '.join(missing)}"
    yield from (f'told: "{message.content}"' for message in messages if message.type == "info")


def _buyer(buyer: Buyer | None) -> str | None:
    if buyer is None:
        return None
    phone = f", {buyer.phone_number}" if buyer.phone_number else ""
    return f"{buyer.first_name} {buyer.last_name} <{buyer.email}>{phone}"


def _address(address: Address | None) -> str | None:
    if address is None:
        return None
    lines = (address.name, address.line_one, address.line_two, address.city)
    place = f"{address.state} {address.postal_code}"
    return ", ".join([*filter(None, lines), place, address.country])


def _or_none(value: object) -> str:
    return "none" if value is None else str(value)
