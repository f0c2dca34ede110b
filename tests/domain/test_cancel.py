from datetime import timedelta

import pytest

from domain.commands import CancelCheckout, CreateCheckout, UpdateCheckout
from domain.decide import decide
from domain.events import CheckoutCanceled
from domain.presentation import messages_of
from domain.rejection import RejectionCode
from domain.values import Status
from projections.checkout_view import render
from tests.domain.books import BOOK
from tests.domain.given import (
    ADA,
    CALIFORNIA,
    MUG,
    NOW,
    after,
    ask,
    canceled,
    created,
    ready,
    rejection_of,
)


def test_a_cancel_records_reason_and_message_and_nothing_else():
    command = CancelCheckout.parse({"reason": "fraud", "message": "Not you"})

    events = decide(ready(), command, BOOK).events

    assert events == (CheckoutCanceled(reason="fraud", message="Not you"),)


def test_a_canceled_checkout_shows_when_and_no_longer_who_takes_the_payment():
    before = render(ready())
    checkout = after(
        ready(), ask(ready(), CancelCheckout.parse({}), at=NOW + timedelta(microseconds=5))
    )

    assert render(checkout) == {
        **{name: value for name, value in before.items() if name != "payment_provider"},
        "status": "canceled",
        "canceled_at": "2026-11-02T09:30:00.000005Z",
        "messages": [{"type": "info", "content_type": "plain", "content": "Checkout cancelled"}],
    }


def test_the_message_of_the_cancel_is_the_only_one_that_is_left():
    checkout = canceled(created(), reason="fraud", message="Not you")

    assert [(m.type, m.content) for m in messages_of(checkout)] == [
        ("info", "Checkout cancelled: Not you")
    ]


def test_an_unready_checkout_can_be_canceled_too():
    assert canceled(created()).status == Status.CANCELED


@pytest.mark.parametrize(
    "fields", [{}, {"buyer": ADA}, {"items": []}, {"fulfillment_address": CALIFORNIA}]
)
def test_a_canceled_checkout_takes_no_update_not_even_one_that_changes_nothing(fields):
    rejection = rejection_of(canceled(ready()), UpdateCheckout.parse(fields))

    assert rejection.code == RejectionCode.CHECKOUT_CLOSED


def test_a_canceled_checkout_can_not_be_canceled_again():
    rejection = rejection_of(canceled(ready()), CancelCheckout.parse({}))

    assert rejection.code == RejectionCode.NOT_CANCELABLE


def test_a_canceled_checkout_can_not_be_created_again():
    rejection = rejection_of(canceled(ready()), CreateCheckout.parse({"items": MUG}))

    assert rejection.code == RejectionCode.ALREADY_EXISTS


def test_that_it_is_closed_is_told_before_that_the_version_is_stale_or_the_item_unknown():
    checkout = canceled(ready())
    wish = UpdateCheckout.parse({"items": [{"id": "unicorn", "quantity": 1}]})

    assert rejection_of(checkout, wish, expected_version=1).code == RejectionCode.CHECKOUT_CLOSED
    cancel = CancelCheckout.parse({})
    assert rejection_of(checkout, cancel, expected_version=1).code == RejectionCode.NOT_CANCELABLE


def test_a_checkout_that_does_not_exist_can_not_be_canceled():
    assert rejection_of(None, CancelCheckout.parse({})).code == RejectionCode.NOT_FOUND
