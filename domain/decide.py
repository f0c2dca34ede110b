"""`decide`: the events that follow from a command, or the rejection that says why none do."""

from __future__ import annotations

from typing import assert_never

from domain.change import create, update
from domain.checkout import Checkout
from domain.commands import (
    CancelCheckout,
    ClientCommand,
    Command,
    CompleteCheckout,
    CreateCheckout,
    RecordDecline,
    RecordPayment,
    UpdateCheckout,
)
from domain.decision import Decision
from domain.events import CheckoutCanceled
from domain.merchant_book import MerchantBook
from domain.payment import complete, end_payment
from domain.presentation import not_ready_sentence
from domain.rejection import Rejection, RejectionCode, of_later_build
from domain.values import Status


def decide(
    checkout: Checkout | None,
    command: Command,
    book: MerchantBook,
    expected_version: int | None = None,
    lineage: str = "",
) -> Decision:
    """Decide a command on a checkout (None if it does not exist).

    `expected_version` is the version that the sender last saw. `lineage` is that of the store
    that holds the checkout; a payment attempt's id names it. Raises `Rejection`. The checks run in this
    order: existence, whether this build knows all events, status, version, merchant book.
    """
    if isinstance(command, CreateCheckout):
        if checkout is not None:
            raise Rejection(RejectionCode.ALREADY_EXISTS, f"checkout {checkout.id} exists already")
        _guard_version(0, expected_version)
        return Decision(create(command, book))
    if checkout is None:
        raise Rejection(RejectionCode.NOT_FOUND, "there is no such checkout")
    if checkout.unknown_topic:
        raise of_later_build(checkout.unknown_topic)
    if isinstance(command, RecordPayment | RecordDecline):
        return end_payment(checkout, command)
    _guard_status(checkout, command)
    _guard_version(checkout.version, expected_version)
    match command:
        case UpdateCheckout():
            return Decision(update(checkout, command, book))
        case CancelCheckout():
            return Decision((CheckoutCanceled(reason=command.reason, message=command.message),))
        case CompleteCheckout():
            return complete(checkout, command, lineage)
        case _:
            assert_never(command)


def _guard_status(checkout: Checkout, command: ClientCommand) -> None:
    if checkout.is_closed:
        raise _closed(checkout, command)
    if checkout.status is Status.IN_PROGRESS:
        raise Rejection(
            RejectionCode.IN_PROGRESS,
            "a payment is running; the checkout can't be changed meanwhile",
        )
    if isinstance(command, CompleteCheckout) and checkout.status is not Status.READY_FOR_PAYMENT:
        raise Rejection(RejectionCode.NOT_READY, not_ready_sentence(checkout))


def _closed(checkout: Checkout, command: ClientCommand) -> Rejection:
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
