from dataclasses import replace

import pytest

from domain.commands import RecordDecline, RecordPayment
from domain.decisions import decide
from domain.events import CheckoutCompleted, PaymentDeclined
from domain.refusals import RefusalCode
from domain.values import Payment, Status
from projections.view import render
from tests.domain.books import BARE, BOOK, DEARER
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
    refusal_of,
    update,
    updated,
)
from tests.domain.payments import (
    attempt_of,
    completing,
    declined,
    paid,
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
    return [message.code for message in checkout.messages]


def refused(checkout, command):
    return refusal_of(checkout, command).code


def test_a_payment_that_is_taken_makes_an_order():
    running = paying(ready(buyer=ADA))

    (completed,) = decide(running, taken(running), BOOK)

    assert isinstance(completed, CheckoutCompleted)
    assert completed.payment == Payment(id="pay_1", amount=1833, provider="stripe")
    assert completed.payment.status == "succeeded"


def test_an_order_shows_its_id_and_its_payment_and_no_longer_who_takes_one():
    before, after_payment = render(ready()), render(paid(ready()))

    order_id = after_payment["order_id"]
    assert order_id
    assert after_payment == {
        **{name: value for name, value in before.items() if name != "payment_provider"},
        "status": "completed",
        "order_id": order_id,
        "payment": {"id": "pay_1", "status": "succeeded", "amount": 1833, "provider": "stripe"},
    }


def test_an_order_is_told_with_the_whole_checkout_as_it_is_shown_from_then_on():
    running = paying(declined(ready(buyer=ADA)), "key-2")
    stream = ask(running, taken(running))
    told = stream[-1].event

    assert isinstance(told, CheckoutCompleted)
    shown = render(after(running, stream))
    assert told.checkout.model_dump(mode="json") == shown
    assert (told.order_id, told.payment.model_dump()) == (shown["order_id"], shown["payment"])


def test_an_order_is_named_after_its_checkout_however_it_was_paid():
    first, second = paid(ready()), paid(declined(ready()), command_key="key-2")
    other = paid(replace(ready(), id="c2"))

    assert first.order_id == second.order_id
    assert first.order_id != other.order_id


def test_the_merchants_book_has_no_say_in_how_a_payment_ended():
    running = paying(ready())

    for book in (DEARER, BARE):
        assert decide(running, taken(running), book) == decide(running, taken(running), BOOK)


def test_an_order_has_no_message_left():
    checkout = updated(ready(fulfillment_option_id="courier"), fulfillment_address=NEW_YORK)
    assert [message.type for message in checkout.messages] == ["info"]

    assert paid(checkout).messages == ()


def test_a_payment_that_is_told_again_is_accepted_and_records_nothing():
    running = paying(ready())
    completed = after(running, ask(running, taken(running)))

    assert decide(completed, taken(running), BOOK) == ()


def test_another_payment_for_a_checkout_that_is_paid_is_refused():
    running = paying(ready())
    completed = after(running, ask(running, taken(running)))

    assert refused(completed, taken(running, "pay_2")) == RefusalCode.ATTEMPT_CLOSED
    assert refused(completed, turned_down(running)) == RefusalCode.ATTEMPT_CLOSED


def test_a_decline_is_recorded_with_the_providers_code_and_message():
    running = paying(ready())

    assert decide(running, turned_down(running), BOOK) == (
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

    assert declined(checkout).messages[:-1] == checkout.messages
    assert codes(declined(checkout)) == [None, "payment_declined"]


def test_after_a_decline_it_can_be_tried_again_and_is_told_no_more():
    again = paying(declined(ready()), "key-2")

    assert (again.status, again.messages) == (Status.IN_PROGRESS, ())
    completed = after(again, ask(again, taken(again)))
    assert completed.status == Status.COMPLETED


def test_of_several_declines_the_last_one_is_told():
    again = paying(declined(ready()), "key-2")
    twice = after(again, ask(again, turned_down(again, "No funds.")))

    assert [message.content for message in twice.messages] == ["No funds."]


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
    assert [message.content for message in checkout.messages] == ["Checkout cancelled"]


def test_how_an_attempt_ended_that_was_declined_can_not_be_told_again():
    running = paying(ready())
    checkout = declined(ready())

    for late in (taken(running), turned_down(running)):
        assert refused(checkout, late) == RefusalCode.ATTEMPT_CLOSED


def test_the_end_of_an_earlier_attempt_does_not_end_the_one_that_is_running():
    first = paying(ready())
    second = paying(declined(ready()), "key-2")

    for late in (taken(first), turned_down(first)):
        assert refused(second, late) == RefusalCode.ATTEMPT_CLOSED


def test_where_no_payment_was_ever_started_none_ends():
    payment = RecordPayment(attempt_id="attempt_x", payment_id="pay_1")
    decline = RecordDecline(attempt_id="attempt_x", code="no", message="No")

    for checkout in (ready(), canceled(ready())):
        assert refused(checkout, payment) == RefusalCode.ATTEMPT_CLOSED
        assert refused(checkout, decline) == RefusalCode.ATTEMPT_CLOSED
    for command in (payment, decline):
        assert refused(None, command) == RefusalCode.NOT_FOUND


def test_an_event_of_a_payment_read_back_from_its_json_is_the_same_event():
    running = paying(ready(buyer=ADA))
    started = ask(ready(buyer=ADA), completing())
    ends = ask(running, turned_down(running)) + ask(running, taken(running))

    for recorded in started + ends:
        event = recorded.event
        assert type(event).model_validate_json(event.model_dump_json()) == event
