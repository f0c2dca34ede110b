"""The state of a checkout, and `evolve`: the one place that knows what an event means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

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
    RecordedEvent,
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

DECLINED = "payment_declined"
"""The code of the message that tells of a declined payment, until something changes."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout as its events left it. `version` is the number of the last event.

    `choice` is the option the buyer asked for; `fulfillment_option_id` the one that is selected,
    which is the merchant's first offer as long as there is no choice. A choice outlasts a time in
    which nothing is on offer, and ends when another option takes its place. `attempt` is the payment
    attempt that is running.
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
    messages: tuple[Message, ...] = ()
    canceled_at: datetime | None = None
    attempt: PaymentStarted | None = None
    order_id: str | None = None
    payment: Payment | None = None

    @property
    def total(self) -> int:
        """What it comes to, in minor units."""
        return next((row.amount for row in self.totals if row.type == "total"), 0)

    @property
    def is_closed(self) -> bool:
        """Whether nothing can change it any more."""
        return self.status in CLOSED

    @property
    def selected_option(self) -> FulfillmentOption | None:
        """The option that is selected, whether by choice or as the first offer."""
        return find_option(self.fulfillment_options, self.fulfillment_option_id)


def find_option(
    options: Iterable[FulfillmentOption], option_id: str | None
) -> FulfillmentOption | None:
    """The option of that id among those on offer."""
    return next((option for option in options if option.id == option_id), None)


def next_time(checkout: Checkout | None, now: datetime) -> datetime:
    """When a checkout's next event happens: now, but never before the event before it."""
    return max(now, checkout.updated_at) if checkout else now


class BrokenStream(Exception):
    """A stream with a hole, a repeat or a wrong beginning: no state can be told from it."""


def evolve(checkout: Checkout | None, recorded: RecordedEvent) -> Checkout:
    """The checkout after one more event. Raises `BrokenStream` if it is not the next one."""
    expected = checkout.version + 1 if checkout else 1
    if recorded.version != expected:
        raise BrokenStream(f"{recorded.checkout_id}: version {recorded.version}, not {expected}")
    if checkout is None:
        return _opened(recorded)
    changed = _apply(checkout, recorded.event, recorded.at)
    return replace(changed, version=recorded.version, updated_at=recorded.at)


def fold(stream: Iterable[RecordedEvent], checkout: Checkout | None = None) -> Checkout | None:
    """The checkout after all events of a stream, from its beginning or from a state on."""
    for recorded in stream:
        checkout = evolve(checkout, recorded)
    return checkout


def _opened(recorded: RecordedEvent) -> Checkout:
    event = recorded.event
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


def _apply(checkout: Checkout, event: Event, at: datetime) -> Checkout:
    match event:
        case ItemsUpdated():
            return replace(checkout, line_items=event.line_items)
        case BuyerUpdated():
            return replace(checkout, buyer=event.buyer)
        case FulfillmentAddressUpdated():
            return replace(checkout, fulfillment_address=event.fulfillment_address)
        case FulfillmentOptionSelected():
            return replace(checkout, choice=event.fulfillment_option_id)
        case CheckoutPriced():
            return _priced(checkout, event)
        case CheckoutCanceled():
            return _canceled(checkout, event, at)
        case PaymentStarted():
            messages = tuple(m for m in checkout.messages if m.code != DECLINED)
            return replace(checkout, status=Status.IN_PROGRESS, attempt=event, messages=messages)
        case PaymentDeclined():
            return _declined(checkout, event)
        case CheckoutCompleted():
            return completed(checkout, event.order_id, event.payment)
        case _:
            raise BrokenStream(
                f"{checkout.id}: {event.NAME} can't follow version {checkout.version}"
            )


def _priced(checkout: Checkout, event: CheckoutPriced) -> Checkout:
    replaced = event.fulfillment_option_id not in (None, checkout.choice)
    return replace(
        checkout,
        status=event.status,
        fulfillment_options=event.fulfillment_options,
        choice=None if replaced else checkout.choice,
        fulfillment_option_id=event.fulfillment_option_id,
        totals=event.totals,
        messages=event.messages,
    )


def completed(checkout: Checkout, order_id: str, payment: Payment) -> Checkout:
    """A checkout that became an order."""
    return replace(
        checkout,
        status=Status.COMPLETED,
        order_id=order_id,
        payment=payment,
        attempt=None,
        messages=(),
    )


def _declined(checkout: Checkout, event: PaymentDeclined) -> Checkout:
    told = Message(type="error", code=DECLINED, param="$.payment_data", content=event.message)
    return replace(
        checkout,
        status=Status.READY_FOR_PAYMENT,
        attempt=None,
        messages=(*checkout.messages, told),
    )


def _canceled(checkout: Checkout, event: CheckoutCanceled, at: datetime) -> Checkout:
    content = f"Checkout cancelled: {event.message}" if event.message else "Checkout cancelled"
    return replace(
        checkout,
        status=Status.CANCELED,
        messages=(Message(type="info", content=content),),
        canceled_at=at,
    )
