"""What a decision has written beside its events: the payment attempts to work on, and their ends."""

from domain.commands import CancelCheckout, RecordDecline, RecordPayment
from domain.decision import CloseAttempt, OpenAttempt
from domain.events import CheckoutCanceled, PaymentDeclined, PaymentStarted
from domain.rejection import Rejection, RejectionCode
from tests.domain.given import ready
from tests.domain.payments import attempt_of, complete, completing, paying
from tests.domain.specification import given

STARTED = PaymentStarted(attempt_id="attempt_1", amount=1833, currency="usd", provider="stripe")
DECLINED = PaymentDeclined(attempt_id="attempt_1", code="card_declined", message="No.")
NO = Rejection(RejectionCode.PAYMENT_DECLINED, "No.", "$.payment_data")


def test_a_complete_opens_the_attempt_that_it_starts():
    [started] = complete(ready())

    opened = OpenAttempt(started, completing().payment_data)
    given(checkout=ready()).when(completing()).then(started, side_rows=(opened,))
    assert "spt_secret" not in repr(opened)


def test_a_decline_closes_the_attempt_with_the_rejection_that_answers_the_complete():
    decline = RecordDecline(attempt_id="attempt_1", code="card_declined", message="No.")

    closed = CloseAttempt("attempt_1", rejection=NO)
    given(STARTED, checkout=ready()).when(decline).then(DECLINED, side_rows=(closed,))


def test_a_payment_closes_the_attempt_with_its_id():
    running = paying(ready())
    attempt_id = attempt_of(running).attempt_id
    paid = RecordPayment(attempt_id=attempt_id, payment_id="pay_1")

    decision = given(checkout=running).when(paid).decided()

    assert decision.side_rows == (CloseAttempt(attempt_id, payment_id="pay_1"),)


def test_the_end_of_another_attempt_closes_none():
    late = RecordPayment(attempt_id="attempt_1", payment_id="pay_1")

    given(STARTED, DECLINED, checkout=ready()).when(late).then_rejected(
        RejectionCode.ATTEMPT_CLOSED
    )


def test_what_is_no_payment_has_no_side_rows():
    canceled = CheckoutCanceled(reason=None, message=None)

    given(checkout=ready()).when(CancelCheckout()).then(canceled)
    given(canceled, checkout=ready()).when(CancelCheckout()).then_rejected(
        RejectionCode.NOT_CANCELABLE
    )
