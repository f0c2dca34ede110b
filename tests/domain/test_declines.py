import pytest

from domain.decide import decide
from domain.events import PaymentDeclined
from domain.presentation import messages_of
from domain.rejection import RejectionCode
from domain.values import Status
from projections.checkout_view import render
from tests.domain.books import BOOK
from tests.domain.given import (
    ADA,
    CALIFORNIA,
    MUG,
    NEW_YORK,
    after,
    ask,
    canceled,
    item,
    ready,
    rejection_of,
    update,
    updated,
)
from tests.domain.payments import (
    attempt_of,
    declined,
    paying,
    taken,
    turned_down,
)

TOLD = {
    "type": "error",
    "code": "payment_declined",
    "param": "$.payment_data",
    "content_type": "plain",
    "content": "Your card was declined.",
}


def codes(checkout):
    return [message.code for message in messages_of(checkout)]


def test_a_decline_is_recorded_with_the_providers_code_and_message():
    running = paying(ready())

    assert decide(running, turned_down(running), BOOK).events == (
        PaymentDeclined(
            attempt_id=attempt_of(running).attempt_id,
            code="card_declined",
            message="Your card was declined.",
        ),
    )


def test_after_a_decline_the_checkout_is_ready_again_and_says_why():
    assert render(declined(ready())) == {**render(ready()), "messages": [TOLD]}


def test_a_decline_is_told_beside_what_was_told_before():
    checkout = updated(ready(fulfillment_option_id="courier"), fulfillment_address=NEW_YORK)

    assert messages_of(declined(checkout))[:-1] == messages_of(checkout)
    assert codes(declined(checkout)) == [None, "payment_declined"]


def test_after_a_decline_it_can_be_tried_again_and_is_told_no_more():
    again = paying(declined(ready()), "key-2")

    assert (again.status, messages_of(again)) == (Status.IN_PROGRESS, ())
    completed = after(again, ask(again, taken(again)))
    assert completed.status == Status.COMPLETED


def test_of_several_declines_the_last_one_is_told():
    again = paying(declined(ready()), "key-2")
    twice = after(again, ask(again, turned_down(again, "No funds.")))

    assert [message.content for message in messages_of(twice)] == ["No funds."]


@pytest.mark.parametrize(
    "fields",
    [{}, {"items": MUG}, {"fulfillment_address": CALIFORNIA}, {"fulfillment_option_id": None}],
)
def test_an_update_that_changes_nothing_records_nothing_after_a_decline_either(fields):
    assert update(declined(ready()), **fields) == ()


def test_a_change_of_buyer_leaves_it_told_that_the_payment_was_declined():
    assert codes(updated(declined(ready()), buyer=ADA)) == ["payment_declined"]


@pytest.mark.parametrize(
    "fields",
    [
        {"items": [item("mug", 2)]},
        {"items": []},
        {"fulfillment_address": NEW_YORK},
        {"fulfillment_address": None},
        {"fulfillment_option_id": "express"},
    ],
)
def test_a_change_that_prices_anew_comes_to_the_same_as_if_nothing_had_been_declined(fields):
    changed = updated(declined(ready()), **fields)

    assert render(changed) == render(updated(ready(), **fields))
    assert "payment_declined" not in codes(changed)


def test_after_a_decline_it_can_be_canceled():
    checkout = canceled(declined(ready()))

    assert checkout.status == Status.CANCELED
    assert [message.content for message in messages_of(checkout)] == ["Checkout cancelled"]


def test_how_an_attempt_ended_that_was_declined_can_not_be_told_again():
    running = paying(ready())
    checkout = declined(ready())

    for late in (taken(running), turned_down(running)):
        assert rejection_of(checkout, late).code == RejectionCode.ATTEMPT_CLOSED


def test_the_end_of_an_earlier_attempt_does_not_end_the_one_that_is_running():
    first = paying(ready())
    second = paying(declined(ready()), "key-2")

    for late in (taken(first), turned_down(first)):
        assert rejection_of(second, late).code == RejectionCode.ATTEMPT_CLOSED
