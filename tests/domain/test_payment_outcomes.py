from dataclasses import replace

from domain.commands import RecordDecline, RecordPayment
from domain.decide import decide
from domain.decision import Decision
from domain.events import CheckoutCompleted
from domain.presentation import messages_of
from domain.rejection import RejectionCode
from domain.values import Payment
from projections.checkout_view import render
from tests.domain.books import BARE, BOOK, DEARER
from tests.domain.given import (
    ADA,
    NEW_YORK,
    after,
    ask,
    canceled,
    ready,
    rejection_of,
    updated,
)
from tests.domain.payments import (
    completing,
    declined,
    paid,
    paying,
    taken,
    turned_down,
)


def test_a_payment_that_is_taken_makes_an_order():
    running = paying(ready(buyer=ADA))

    (completed,) = decide(running, taken(running), BOOK).events

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
    running = paying(declined(ready(buyer=ADA)))
    stream = ask(running, taken(running))
    told = stream[-1].event

    assert isinstance(told, CheckoutCompleted)
    shown = render(after(running, stream))
    assert told.checkout.model_dump(mode="json") == shown
    assert (told.order_id, told.payment.model_dump()) == (shown["order_id"], shown["payment"])


def test_an_order_is_named_after_its_checkout_however_it_was_paid():
    first, second = paid(ready()), paid(declined(ready()))
    other = paid(replace(ready(), id="c2"))

    assert first.order_id == second.order_id
    assert first.order_id != other.order_id


def test_the_merchants_book_has_no_say_in_how_a_payment_ended():
    running = paying(ready())

    for book in (DEARER, BARE):
        assert decide(running, taken(running), book) == decide(running, taken(running), BOOK)


def test_an_order_has_no_message_left():
    checkout = updated(ready(fulfillment_option_id="courier"), fulfillment_address=NEW_YORK)
    assert [message.type for message in messages_of(checkout)] == ["info"]

    assert messages_of(paid(checkout)) == ()


def test_a_payment_that_is_told_again_is_accepted_and_records_nothing():
    running = paying(ready())
    completed = after(running, ask(running, taken(running)))

    assert decide(completed, taken(running), BOOK) == Decision(())


def test_another_payment_for_a_checkout_that_is_paid_is_refused():
    running = paying(ready())
    completed = after(running, ask(running, taken(running)))

    assert rejection_of(completed, taken(running, "pay_2")).code == RejectionCode.ATTEMPT_CLOSED
    assert rejection_of(completed, turned_down(running)).code == RejectionCode.ATTEMPT_CLOSED


def test_where_no_payment_was_ever_started_none_ends():
    payment = RecordPayment(attempt_id="attempt_x", payment_id="pay_1")
    decline = RecordDecline(attempt_id="attempt_x", code="no", message="No")

    for checkout in (ready(), canceled(ready())):
        assert rejection_of(checkout, payment).code == RejectionCode.ATTEMPT_CLOSED
        assert rejection_of(checkout, decline).code == RejectionCode.ATTEMPT_CLOSED
    for command in (payment, decline):
        assert rejection_of(None, command).code == RejectionCode.NOT_FOUND


def test_an_event_of_a_payment_read_back_from_its_json_is_the_same_event():
    running = paying(ready(buyer=ADA))
    started = ask(ready(buyer=ADA), completing())
    ends = ask(running, turned_down(running)) + ask(running, taken(running))

    for recorded in started + ends:
        event = recorded.event
        assert type(event).model_validate_json(event.model_dump_json()) == event
