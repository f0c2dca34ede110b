import pytest

from domain.commands import CancelCheckout, CreateCheckout, UpdateCheckout
from domain.decide import decide
from domain.events import BuyerUpdated, CheckoutCompleted, PaymentStarted, PaymentStartedV2
from domain.payment import attempt_id_of, lineage_of
from domain.rejection import RejectionCode
from domain.values import Buyer, PaymentProvider, Status
from projections.checkout_view import render
from tests.domain.books import BARE, BOOK, DEARER, FREE
from tests.domain.given import (
    ADA,
    BOB,
    CALIFORNIA,
    MUG,
    PARIS,
    after,
    ask,
    canceled,
    created,
    names,
    ready,
    rejection_of,
    updated,
)
from tests.domain.payments import (
    PAYMENT_DATA,
    attempt_of,
    complete,
    completing,
    declined,
    paid,
    paying,
)

ELSEWHERE = completing(payment_data={**PAYMENT_DATA, "provider": "cash"})


def free():
    """A checkout that comes to nothing."""
    return ready(book=FREE)


def test_a_complete_starts_a_payment_of_the_total():
    (started,) = complete(ready())

    assert started == PaymentStartedV2(
        attempt_id=attempt_of(paying(ready())).attempt_id,
        amount=1000 + 700 + (73 + 35 + 25),
        currency="usd",
        provider="stripe",
        lineage="lineage1",
    )


@pytest.mark.parametrize("book", [DEARER, FREE, BARE])
def test_what_is_charged_is_the_recorded_total_whatever_the_book_says_now(book):
    assert complete(ready(), book) == complete(ready())


def test_what_is_charged_is_the_total_after_the_last_change():
    checkout = updated(ready(), fulfillment_option_id="courier")

    assert attempt_of(paying(checkout)).amount == checkout.total == 2358


def test_while_its_payment_runs_a_checkout_shows_that_and_is_otherwise_as_it_was():
    checkout = ready()

    assert render(paying(checkout)) == {**render(checkout), "status": "in_progress"}


def test_a_buyer_who_is_sent_along_is_recorded_before_the_payment():
    changed, started = complete(ready(buyer=ADA), buyer=BOB)

    assert changed == BuyerUpdated(buyer=Buyer.model_validate(BOB))
    assert isinstance(started, PaymentStarted)
    assert render(paying(ready(buyer=ADA), buyer=BOB))["buyer"] == BOB


def test_no_buyer_null_or_the_same_buyer_changes_no_buyer():
    for fields in ({}, {"buyer": None}, {"buyer": ADA}):
        assert names(complete(ready(buyer=ADA), **fields)) == ["PaymentStarted"]


def test_another_provider_than_the_checkouts_is_refused():
    rejection = rejection_of(ready(), ELSEWHERE)

    assert (rejection.code, rejection.param) == (RejectionCode.INVALID, "$.payment_data.provider")
    assert "stripe" in rejection.message


def test_the_provider_is_the_one_the_checkout_was_opened_with():
    cash = PaymentProvider(provider="cash", supported_payment_methods=())
    book = BOOK.model_copy(update={"payment_provider": cash})

    assert complete(ready(), book) == complete(ready())
    assert rejection_of(ready(), ELSEWHERE, book=book).param == "$.payment_data.provider"


@pytest.mark.parametrize(
    ("checkout", "lacking"),
    [
        (created(), "fulfillment_address, fulfillment_option_id are missing"),
        (updated(ready(), items=[]), "items is missing"),
        (ready(fulfillment_address=PARIS), "fulfillment_option_id is missing"),
    ],
    ids=["without an address", "without a line", "without an option"],
)
def test_a_checkout_that_is_not_ready_is_refused_with_what_is_missing(checkout, lacking):
    rejection = rejection_of(checkout, completing())

    assert (rejection.code, rejection.param) == (RejectionCode.NOT_READY, None)
    assert rejection.message.endswith(f"not ready for payment: {lacking}")


def test_once_made_ready_it_can_be_completed():
    checkout = updated(created(), fulfillment_address=CALIFORNIA)

    assert paying(checkout).status == Status.IN_PROGRESS


@pytest.mark.parametrize(
    "command",
    [
        UpdateCheckout.parse({"buyer": ADA}),
        UpdateCheckout.parse({}),
        CancelCheckout.parse({}),
        completing(),
    ],
    ids=["update", "update of nothing", "cancel", "complete"],
)
def test_while_a_payment_runs_every_command_is_refused(command):
    assert rejection_of(paying(ready()), command).code == RejectionCode.IN_PROGRESS


def test_a_checkout_in_whatever_state_can_not_be_created_again():
    command = CreateCheckout.parse({"items": MUG})

    for checkout in (paying(ready()), paid(ready())):
        assert rejection_of(checkout, command).code == RejectionCode.ALREADY_EXISTS


@pytest.mark.parametrize("closed", [canceled(ready()), paid(ready())], ids=lambda c: c.status)
def test_a_closed_checkout_takes_no_command_any_more(closed):
    closed_for = {
        completing(): RejectionCode.CHECKOUT_CLOSED,
        UpdateCheckout.parse({}): RejectionCode.CHECKOUT_CLOSED,
        CancelCheckout.parse({}): RejectionCode.NOT_CANCELABLE,
    }

    for command, code in closed_for.items():
        rejection = rejection_of(closed, command)
        assert rejection.code == code
        assert closed.status in rejection.message


def test_it_is_told_first_that_there_is_none_then_the_state_the_version_and_the_provider():
    assert rejection_of(None, ELSEWHERE, expected_version=1).code == RejectionCode.NOT_FOUND
    for checkout, code in {
        paid(ready()): RejectionCode.CHECKOUT_CLOSED,
        paying(ready()): RejectionCode.IN_PROGRESS,
        created(): RejectionCode.NOT_READY,
        ready(): RejectionCode.VERSION_MISMATCH,
    }.items():
        assert rejection_of(checkout, ELSEWHERE, expected_version=1).code == code
    version = ready().version
    assert rejection_of(ready(), ELSEWHERE, expected_version=version).code == RejectionCode.INVALID


def test_an_attempt_is_named_after_the_stores_lineage_the_checkout_and_the_version_it_pays():
    checkout = ready()

    attempt_id = attempt_of(paying(checkout)).attempt_id

    assert attempt_id == f"attempt_lineage1_{checkout.id}_{checkout.version}"
    assert lineage_of(attempt_id) == "lineage1"
    assert attempt_of(paying(checkout, "lineage2")).attempt_id != attempt_id


def test_a_version_is_paid_for_under_one_name_whatever_the_command_says_besides():
    checkout = ready(buyer=ADA)
    with_another_token = {**PAYMENT_DATA, "token": "spt_other"}

    for fields in ({}, {"buyer": BOB}, {"payment_data": with_another_token}):
        assert attempt_of(paying(checkout, **fields)) == attempt_of(paying(checkout))


def test_another_version_is_paid_for_under_another_name():
    once_declined = declined(ready())
    dearer = updated(once_declined, fulfillment_option_id="courier")

    versions = (ready(), once_declined, dearer)

    assert len({attempt_of(paying(checkout)).attempt_id for checkout in versions}) == 3


def test_the_longest_name_is_short_enough_for_stripe_and_an_older_name_has_no_lineage():
    longest = attempt_id_of("f" * 32, "_" * 64, 10_000)

    assert len(longest) <= 255
    assert lineage_of(longest) == "f" * 32
    assert lineage_of("attempt_" + "0" * 32) is None


def test_a_total_of_nothing_is_an_order_at_once():
    stream = ask(free(), completing(buyer=ADA))
    completed = after(free(), stream)

    told = stream[-1].event
    assert names(tuple(recorded.event for recorded in stream)) == [
        "BuyerUpdated",
        "CheckoutCompleted",
    ]
    assert isinstance(told, CheckoutCompleted)
    assert (told.payment.amount, told.payment.status) == (0, "succeeded")
    assert completed.status == Status.COMPLETED
    assert told.checkout.model_dump(mode="json") == render(completed)
    assert render(completed)["buyer"] == ADA


def test_a_total_of_nothing_asks_for_the_right_provider_all_the_same():
    assert rejection_of(free(), ELSEWHERE).param == "$.payment_data.provider"


def test_what_costs_something_at_the_last_change_is_not_free_because_the_book_is_now():
    assert names(decide(ready(), completing(), FREE, lineage="lineage1").events) == [
        "PaymentStarted"
    ]


def test_a_complete_in_a_store_without_a_lineage_is_a_bug():
    with pytest.raises(ValueError, match="lineage"):
        decide(ready(), completing(), BOOK)
