"""`decide`: what follows from a command, as events, or why nothing does, as a rejection."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.checkout import Checkout
from domain.commands import (
    CancelCheckout,
    Command,
    CompleteCheckout,
    CreateCheckout,
    RecordDecline,
    RecordPayment,
    UpdateCheckout,
)
from domain.events import (
    BuyerUpdated,
    CheckoutCanceled,
    CheckoutCreated,
    CheckoutPriced,
    Event,
    FulfillmentAddressUpdated,
    FulfillmentOptionSelected,
    ItemsUpdated,
)
from domain.fulfillment import MISSING, select, select_asked, what_is_missing
from domain.merchant_book import MerchantBook
from domain.payment import complete, end_payment
from domain.pricing import price_lines, recorded_order_tax, tax_lines, total_up
from domain.rejection import Rejection, RejectionCode
from domain.values import Message, Status


def decide(
    checkout: Checkout | None,
    command: Command,
    book: MerchantBook,
    expected_version: int | None = None,
    command_key: str = "",
) -> tuple[Event, ...]:
    """The events of a command on a checkout (None: there is no such checkout), in order; maybe none.

    `expected_version` is the version the sender has seen; `command_key` is what no other command has,
    for what must be made of it once, such as a payment attempt. Raises `Rejection`, checked in this order:
    whether the checkout exists, its status, its version, the merchant book.
    """
    if isinstance(command, CreateCheckout):
        if checkout is not None:
            raise Rejection(RejectionCode.ALREADY_EXISTS, f"checkout {checkout.id} exists already")
        _guard_version(0, expected_version)
        return _create(command, book)
    if checkout is None:
        raise Rejection(RejectionCode.NOT_FOUND, "there is no such checkout")
    if isinstance(command, RecordPayment | RecordDecline):
        return end_payment(checkout, command)
    _guard_status(checkout, command)
    _guard_version(checkout.version, expected_version)
    if isinstance(command, UpdateCheckout):
        return _update(checkout, command, book)
    if isinstance(command, CancelCheckout):
        return (CheckoutCanceled(reason=command.reason, message=command.message),)
    if isinstance(command, CompleteCheckout):
        return complete(checkout, command, command_key)
    raise TypeError(f"no decision is known for {command.NAME}")


def _guard_status(checkout: Checkout, command: Command) -> None:
    if checkout.is_closed:
        raise _closed(checkout, command)
    if checkout.status is Status.IN_PROGRESS:
        raise Rejection(
            RejectionCode.IN_PROGRESS,
            "a payment is running; the checkout can't be changed meanwhile",
        )
    if isinstance(command, CompleteCheckout) and checkout.status is not Status.READY_FOR_PAYMENT:
        missing = ", ".join(message.param for message in checkout.messages if message.param)
        raise Rejection(
            RejectionCode.NOT_READY, f"the checkout is not ready for payment; see to {missing}"
        )


def _closed(checkout: Checkout, command: Command) -> Rejection:
    if isinstance(command, CancelCheckout):
        return Rejection(
            RejectionCode.NOT_CANCELABLE, f"the checkout is {checkout.status}: it can't be canceled"
        )
    return Rejection(RejectionCode.CHECKOUT_CLOSED, f"the checkout is {checkout.status} for good")


def _guard_version(version: int, expected: int | None) -> None:
    if expected is not None and expected != version:
        raise Rejection(
            RejectionCode.VERSION_MISMATCH,
            f"the checkout is at version {version}, not at {expected}; read it again",
        )


def _create(command: CreateCheckout, book: MerchantBook) -> tuple[Event, ...]:
    opened = CheckoutCreated(
        currency=book.currency, payment_provider=book.payment_provider, links=book.links
    )
    blank = Checkout(
        id="",
        version=0,
        created_at=datetime.min.replace(tzinfo=UTC),
        updated_at=datetime.min.replace(tzinfo=UTC),
        currency=opened.currency,
        payment_provider=opened.payment_provider,
        links=opened.links,
    )
    given = command.model_dump(exclude_none=True).keys()
    wish = UpdateCheckout.model_construct(
        _fields_set=set(given), **{name: getattr(command, name) for name in given}
    )
    return (opened, *_update(blank, wish, book))


def _update(checkout: Checkout, wish: UpdateCheckout, book: MerchantBook) -> tuple[Event, ...]:
    """What an update changes: the facts that differ, then what they come to, if that differs too."""
    sent = wish.model_fields_set
    buyer = wish.buyer if "buyer" in sent else checkout.buyer
    address = (
        wish.fulfillment_address if "fulfillment_address" in sent else checkout.fulfillment_address
    )
    moved = address != checkout.fulfillment_address
    if "items" in sent:
        lines = price_lines(wish.items, address, book)
    else:
        lines = tax_lines(checkout.line_items, address, book) if moved else checkout.line_items
    relined = lines != checkout.line_items
    asked = "fulfillment_option_id" in sent
    choice = wish.fulfillment_option_id if asked else checkout.choice

    changes: list[Event] = []
    if relined:
        changes.append(ItemsUpdated(line_items=lines))
    if buyer != checkout.buyer:
        changes.append(BuyerUpdated(buyer=buyer))
    if moved:
        changes.append(FulfillmentAddressUpdated(fulfillment_address=address))
    if asked and choice != checkout.choice:
        changes.append(FulfillmentOptionSelected(fulfillment_option_id=choice))

    if moved or relined:
        options, order_tax = book.options_for(address), book.order_tax(address)
    else:
        options, order_tax = checkout.fulfillment_options, recorded_order_tax(checkout)
    selection = select_asked(options, choice) if asked else select(options, checkout)
    missing = what_is_missing(lines, address, selection.option)
    priced = CheckoutPriced(
        fulfillment_options=options,
        fulfillment_option_id=selection.option.id if selection.option else None,
        totals=total_up(lines, selection.option, address, order_tax),
        status=Status.NOT_READY_FOR_PAYMENT if missing else Status.READY_FOR_PAYMENT,
        messages=(*selection.notes, *missing),
    )
    if relined or _differs(priced, checkout, missing):
        changes.append(priced)
    return tuple(changes)


def _differs(priced: CheckoutPriced, checkout: Checkout, missing: tuple[Message, ...]) -> bool:
    """Whether an amount, an option, the status or what is missing is not as it was.

    A note about a replaced option stays until one of them changes.
    """
    return (
        priced.fulfillment_options != checkout.fulfillment_options
        or priced.fulfillment_option_id != checkout.fulfillment_option_id
        or priced.totals != checkout.totals
        or priced.status != checkout.status
        or missing != tuple(m for m in checkout.messages if m.code == MISSING)
    )
