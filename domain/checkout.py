"""The state of a checkout, and `evolve`: the only place that applies an event to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import assert_never

from domain.events import (
    BuyerUpdated,
    CheckoutCanceled,
    CheckoutCompleted,
    CheckoutCreated,
    CheckoutPricedV2,
    FulfillmentAddressUpdated,
    FulfillmentOptionSelected,
    ItemsUpdated,
    PaymentDeclined,
    PaymentStarted,
    RecordedEvent,
    UnknownEvent,
)
from domain.values import (
    CLOSED,
    Address,
    Buyer,
    FulfillmentOption,
    LineItem,
    Link,
    Message,
    Payment,
    PaymentProvider,
    Status,
    Total,
)


@dataclass(frozen=True, slots=True)
class Checkout:
    """The state after an event. `version` is the number of that event.

    `choice` is the option that the buyer requested; `fulfillment_option_id` is the selected one: the
    merchant's first offer as long as there is no choice. A choice survives while nothing is on offer,
    and ends when another option replaces it. `order_tax` is the flat tax in the totals. `messages` are those
    of the last quote. `attempt` is the running payment attempt; `decline` is how the last one failed, until a
    quote or a new attempt.
    `unknown_topic` is that of the first event of a later build: from then on the rest may be out of date.
    """

    id: str
    version: int
    created_at: datetime
    updated_at: datetime
    currency: str
    payment_provider: PaymentProvider
    links: tuple[Link, ...]
    status: Status = Status.NOT_READY_FOR_PAYMENT
    buyer: Buyer | None = None
    line_items: tuple[LineItem, ...] = ()
    fulfillment_address: Address | None = None
    fulfillment_options: tuple[FulfillmentOption, ...] = ()
    choice: str | None = None
    fulfillment_option_id: str | None = None
    totals: tuple[Total, ...] = ()
    order_tax: int = 0
    messages: tuple[Message, ...] = ()
    canceled_at: datetime | None = None
    cancellation: CheckoutCanceled | None = None
    attempt: PaymentStarted | None = None
    decline: PaymentDeclined | None = None
    order_id: str | None = None
    payment: Payment | None = None
    unknown_topic: str | None = None

    @property
    def total(self) -> int:
        """The total in minor units; 0 before the first quote."""
        return next((row.amount for row in self.totals if row.type == "total"), 0)

    @property
    def is_closed(self) -> bool:
        """Whether nothing can change the checkout any more."""
        return self.status in CLOSED

    @property
    def selected_option(self) -> FulfillmentOption | None:
        """The selected option, whether chosen or the first offer."""
        return find_option(self.fulfillment_options, self.fulfillment_option_id)


def find_option(
    options: Iterable[FulfillmentOption], option_id: str | None
) -> FulfillmentOption | None:
    """The option with this id; None if it is not on offer."""
    return next((option for option in options if option.id == option_id), None)


def next_time(checkout: Checkout | None, now: datetime) -> datetime:
    """The time of a checkout's next event: now, but never before the previous event."""
    return max(now, checkout.updated_at) if checkout else now


class BrokenStream(Exception):
    """A stream with a gap, a repeat or a wrong first event: it folds to no state."""


class UnknownBeginning(BrokenStream):
    """A stream that begins with an event of a later build: nothing is known of the checkout."""

    def __init__(self, checkout_id: str, topic: str) -> None:
        super().__init__(f"{checkout_id}: begins with {topic}, an event of a later build")
        self.topic = topic


def evolve(checkout: Checkout | None, recorded: RecordedEvent) -> Checkout:
    """The checkout after one more event. Raises `BrokenStream` if the event can't come next."""
    expected = checkout.version + 1 if checkout else 1
    if recorded.version != expected:
        raise BrokenStream(f"{recorded.checkout_id}: version {recorded.version}, not {expected}")
    if checkout is None:
        return _opened(recorded)
    return _apply(checkout, recorded)


def fold(stream: Iterable[RecordedEvent], checkout: Checkout | None = None) -> Checkout | None:
    """The checkout after all events of a stream that starts at version 1, or follows `checkout`."""
    for recorded in stream:
        checkout = evolve(checkout, recorded)
    return checkout


def _opened(recorded: RecordedEvent) -> Checkout:
    event = recorded.event
    if isinstance(event, UnknownEvent):
        raise UnknownBeginning(recorded.checkout_id, event.topic())
    if not isinstance(event, CheckoutCreated):
        raise BrokenStream(f"{recorded.checkout_id}: begins with {event.NAME}")
    return Checkout(
        id=recorded.checkout_id,
        version=recorded.version,
        created_at=recorded.at,
        updated_at=recorded.at,
        currency=event.currency,
        payment_provider=event.payment_provider,
        links=event.links,
    )


def _apply(checkout: Checkout, recorded: RecordedEvent) -> Checkout:  # noqa: C901 - a case each
    event = recorded.event
    # One copy of the state for each event: a second one for these two fields would cost as much again.
    after = partial(replace, checkout, version=recorded.version, updated_at=recorded.at)
    match event:
        case CheckoutCreated():
            raise BrokenStream(
                f"{checkout.id}: {event.NAME} can't follow version {checkout.version}"
            )
        case ItemsUpdated():
            return after(line_items=event.line_items)
        case BuyerUpdated():
            return after(buyer=event.buyer)
        case FulfillmentAddressUpdated():
            return after(fulfillment_address=event.fulfillment_address)
        case FulfillmentOptionSelected():
            return after(choice=event.fulfillment_option_id)
        case CheckoutPricedV2():
            return after(
                status=event.status,
                fulfillment_options=event.fulfillment_options,
                choice=None if _ends_choice(event, checkout.choice) else checkout.choice,
                fulfillment_option_id=event.fulfillment_option_id,
                totals=event.totals,
                order_tax=_order_tax(event, checkout.line_items),
                messages=event.messages,
                decline=None,
            )
        case CheckoutCanceled():
            return after(
                status=Status.CANCELED,
                cancellation=event,
                canceled_at=recorded.at,
                decline=None,
            )
        case PaymentStarted():
            return after(status=Status.IN_PROGRESS, attempt=event, decline=None)
        case PaymentDeclined():
            return after(status=Status.READY_FOR_PAYMENT, attempt=None, decline=event)
        case CheckoutCompleted():
            return completed(after(), event.order_id, event.payment)
        case UnknownEvent():
            return after(unknown_topic=checkout.unknown_topic or event.topic())
        case _:
            assert_never(event)


def _ends_choice(event: CheckoutPricedV2, choice: str | None) -> bool:
    if event.choice_ended is None:  # Version 1: the choice ended if another option is selected.
        return event.fulfillment_option_id not in (None, choice)
    return event.choice_ended


def _order_tax(event: CheckoutPricedV2, lines: tuple[LineItem, ...]) -> int:
    if event.order_tax is None:  # Version 1: what lines and option leave of the tax.
        tax = sum(row.amount for row in event.totals if row.type == "tax")
        option = find_option(event.fulfillment_options, event.fulfillment_option_id)
        return tax - tax_of(lines, option) if tax else 0
    return event.order_tax


def tax_of(lines: Iterable[LineItem], option: FulfillmentOption | None) -> int:
    """The taxes of lines and option together."""
    return sum(line.tax for line in lines) + (option.tax if option else 0)


def completed(checkout: Checkout, order_id: str, payment: Payment) -> Checkout:
    """The checkout once it became an order."""
    return replace(
        checkout,
        status=Status.COMPLETED,
        order_id=order_id,
        payment=payment,
        attempt=None,
        decline=None,
        messages=(),
    )
