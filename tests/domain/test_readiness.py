from domain.values import Status
from projections.checkout_view import render
from tests.domain.given import (
    ADA,
    CALIFORNIA,
    MUG,
    PARIS,
    created,
    missing,
    ready,
    update,
    updated,
)

READY, NOT_READY = Status.READY_FOR_PAYMENT, Status.NOT_READY_FOR_PAYMENT


def test_lines_an_address_and_an_option_make_a_checkout_ready_even_without_a_buyer():
    checkout = ready()

    assert checkout.status == READY
    assert checkout.buyer is None
    assert checkout.messages == ()


def test_without_an_address_both_the_address_and_the_option_are_missing():
    checkout = created(buyer=ADA)

    assert checkout.status == NOT_READY
    assert missing(checkout) == ["$.fulfillment_address", "$.fulfillment_option_id"]


def test_an_address_makes_it_ready():
    checkout = updated(created(), fulfillment_address=CALIFORNIA)

    assert checkout.status == READY
    assert checkout.messages == ()


def test_clearing_the_address_makes_it_unready_again():
    cleared = updated(ready(), fulfillment_address=None)

    assert cleared.status == NOT_READY
    assert missing(cleared) == ["$.fulfillment_address", "$.fulfillment_option_id"]


def test_emptying_the_cart_makes_it_unready_and_filling_it_ready_again():
    emptied = updated(ready(), items=[])
    filled = updated(emptied, items=MUG)

    assert (emptied.status, missing(emptied)) == (NOT_READY, ["$.items"])
    assert (filled.status, missing(filled)) == (READY, [])


def test_an_address_where_nothing_is_offered_makes_it_unready():
    moved = updated(ready(), fulfillment_address=PARIS)

    assert (moved.status, missing(moved)) == (NOT_READY, ["$.fulfillment_option_id"])


def test_everything_that_is_missing_is_told_at_once():
    checkout = updated(created(), items=[])

    assert missing(checkout) == [
        "$.items",
        "$.fulfillment_address",
        "$.fulfillment_option_id",
    ]


def test_what_is_missing_is_recorded_even_if_status_and_amounts_stay():
    unready = updated(ready(fulfillment_address=PARIS), items=[])

    events = update(unready, fulfillment_address=None)

    assert [event.NAME for event in events] == ["FulfillmentAddressUpdated", "CheckoutPriced"]
    assert missing(updated(unready, fulfillment_address=None)) == [
        "$.items",
        "$.fulfillment_address",
        "$.fulfillment_option_id",
    ]


def test_how_to_get_an_option_depends_on_whether_there_is_an_address():
    without, nowhere = created().messages[-1], ready(fulfillment_address=PARIS).messages[-1]

    assert without.content == "Select a fulfillment option, once there is an address"
    assert nowhere.content == "Nothing is offered for this address; change it"


def test_a_message_tells_a_machine_the_field_and_a_person_what_to_do():
    message = render(created())["messages"][0]

    assert message == {
        "type": "error",
        "code": "missing",
        "param": "$.fulfillment_address",
        "content_type": "plain",
        "content": "Add a fulfillment address",
    }
