"""What the tests of paying start from: a checkout with a payment that runs, was declined, was taken."""

from typing import Any

from domain.checkout import Checkout
from domain.commands import CompleteCheckout, RecordDecline, RecordPayment
from domain.decide import decide
from domain.events import Event, PaymentStarted
from domain.merchant_book import MerchantBook
from tests.domain.books import BOOK
from tests.domain.given import after, ask

PAYMENT_DATA = {"token": "spt_secret", "provider": "stripe"}


def completing(**fields: Any) -> CompleteCheckout:
    """The command, which pays with a token unless said otherwise."""
    return CompleteCheckout.parse({"payment_data": PAYMENT_DATA, **fields})


def complete(checkout: Checkout, book: MerchantBook = BOOK, **fields: Any) -> tuple[Event, ...]:
    """The events of a complete."""
    return decide(checkout, completing(**fields), book, lineage="lineage1").events


def paying(checkout: Checkout, lineage: str = "lineage1", **fields: Any) -> Checkout:
    """The checkout with a payment that is running."""
    return after(checkout, ask(checkout, completing(**fields), lineage=lineage))


def attempt_of(checkout: Checkout) -> PaymentStarted:
    """The payment attempt that is running."""
    assert checkout.attempt is not None
    return checkout.attempt


def taken(checkout: Checkout, payment_id: str = "pay_1") -> RecordPayment:
    """The provider's yes to the payment that is running."""
    return RecordPayment(attempt_id=attempt_of(checkout).attempt_id, payment_id=payment_id)


def turned_down(checkout: Checkout, message: str = "Your card was declined.") -> RecordDecline:
    """The provider's no to the payment that is running."""
    attempt_id = attempt_of(checkout).attempt_id
    return RecordDecline(attempt_id=attempt_id, code="card_declined", message=message)


def paid(checkout: Checkout, **fields: Any) -> Checkout:
    """The checkout once its payment, begun here, was taken."""
    running = paying(checkout, **fields)
    return after(running, ask(running, taken(running)))


def declined(checkout: Checkout) -> Checkout:
    """The checkout once its payment, begun here, was declined."""
    running = paying(checkout)
    return after(running, ask(running, turned_down(running)))
