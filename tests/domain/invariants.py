"""What is true of every checkout, however it came about."""

import json

from domain.checkout import Checkout
from domain.presentation import DECLINED, messages_of
from domain.values import Address, Status
from projections.registry import render_view
from tests.domain.books import BOOK, DEARER, FREE
from tests.domain.given import BERLIN, CALIFORNIA, NEW_YORK, PARIS

ORDER_TAXES = {
    book.order_tax(Address.model_validate(place))
    for book in (BOOK, DEARER, FREE)
    for place in (CALIFORNIA, NEW_YORK, BERLIN, PARIS)
}
"""Every flat order tax that a book of these tests knows."""


def assert_sound(checkout: Checkout) -> None:
    assert_lines_add_up(checkout)
    assert_totals_add_up(checkout)
    assert_selection_is_on_offer(checkout)
    assert_status_and_messages_agree(checkout)
    assert_status_and_payment_agree(checkout)
    assert_view_shows_it(checkout)


def assert_lines_add_up(checkout: Checkout) -> None:
    for line in checkout.line_items:
        assert line.id == line.item.id
        assert line.base_amount - line.discount == line.subtotal >= 0
        assert line.subtotal + line.tax == line.total
        assert checkout.fulfillment_address or line.tax == 0


def assert_totals_add_up(checkout: Checkout) -> None:
    rows = {row.type: row.amount for row in checkout.totals}
    option, address = checkout.selected_option, checkout.fulfillment_address
    shown = ["subtotal", *["fulfillment"] * bool(option), *["tax"] * bool(address), "total"]
    assert [row.type for row in checkout.totals] == shown
    assert rows["total"] == sum(amount for row, amount in rows.items() if row != "total")
    assert rows["subtotal"] == sum(line.subtotal for line in checkout.line_items)
    if option:
        assert rows["fulfillment"] == option.subtotal
    if address:
        lines_tax = sum(line.tax for line in checkout.line_items)
        assert rows["tax"] - lines_tax - (option.tax if option else 0) in ORDER_TAXES


def assert_selection_is_on_offer(checkout: Checkout) -> None:
    offered = [option.id for option in checkout.fulfillment_options]
    assert checkout.fulfillment_address or not offered
    if not offered:
        assert checkout.fulfillment_option_id is None
    elif checkout.choice:
        assert checkout.fulfillment_option_id == checkout.choice
        assert checkout.choice in offered
    else:
        assert checkout.fulfillment_option_id == offered[0]


def assert_status_and_messages_agree(checkout: Checkout) -> None:
    if checkout.status == Status.CANCELED:
        assert checkout.canceled_at == checkout.updated_at
        assert [message.type for message in messages_of(checkout)] == ["info"]
        return
    assert checkout.canceled_at is None
    errors = [message for message in messages_of(checkout) if message.type == "error"]
    declines = [message for message in errors if message.code == DECLINED]
    assert len(declines) <= (checkout.status == Status.READY_FOR_PAYMENT)
    lacking = {
        "$.items": not checkout.line_items,
        "$.fulfillment_address": checkout.fulfillment_address is None,
        "$.fulfillment_option_id": checkout.selected_option is None,
    }
    missing = {message.param for message in errors if message not in declines}
    assert missing == {field for field, lacks in lacking.items() if lacks}
    assert any(lacking.values()) == (checkout.status == Status.NOT_READY_FOR_PAYMENT)


def assert_status_and_payment_agree(checkout: Checkout) -> None:
    attempt, payment = checkout.attempt, checkout.payment
    due = checkout.totals[-1].amount
    assert bool(attempt) == (checkout.status == Status.IN_PROGRESS)
    assert bool(payment) == bool(checkout.order_id) == (checkout.status == Status.COMPLETED)
    if attempt:
        assert (attempt.amount, attempt.currency) == (due, checkout.currency)
        assert attempt.amount > 0
    if payment:
        assert payment.amount == due
        assert messages_of(checkout) == ()
    for charge in (attempt, payment):
        assert charge is None or charge.provider == checkout.payment_provider.provider


def assert_view_shows_it(checkout: Checkout) -> None:
    shown = json.loads(render_view(checkout).body)
    assert shown["status"] == checkout.status
    assert None not in shown.values()
    assert ("payment_provider" in shown) == (not checkout.is_closed)
    assert ("canceled_at" in shown) == (checkout.status == Status.CANCELED)
    assert shown.keys() >= {"order_id", "payment"} or checkout.status != Status.COMPLETED
