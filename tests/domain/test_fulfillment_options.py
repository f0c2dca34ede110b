from domain.commands import CreateCheckout, UpdateCheckout
from domain.rejection import RejectionCode
from tests.domain.given import (
    BERLIN,
    CALIFORNIA,
    MUG,
    NEW_YORK,
    PARIS,
    amounts,
    created,
    names,
    ready,
    rejection_of,
    update,
    updated,
)


def offered(checkout):
    return [option.id for option in checkout.fulfillment_options]


def test_options_are_offered_by_country_and_region_in_the_books_order():
    assert offered(ready()) == ["ground", "courier", "express"]
    assert offered(ready(fulfillment_address=NEW_YORK)) == ["ground", "express"]
    assert offered(ready(fulfillment_address=BERLIN)) == ["parcel"]
    assert offered(ready(fulfillment_address=PARIS)) == []
    assert offered(created()) == []


def test_an_option_shows_the_books_fields_and_its_total():
    ground, courier, express = (
        option.model_dump(mode="json") for option in ready().fulfillment_options
    )

    assert courier == {
        "type": "shipping",
        "id": "courier",
        "title": "Courier",
        "subtitle": "Today",
        "carrier": "Wheels",
        "subtotal": 1200,
        "tax": 60,
        "total": 1260,
    }
    assert "subtitle" not in ground
    assert express["type"] == "digital"


def test_without_a_choice_the_first_offered_option_is_selected_and_not_said_to_be_asked_for():
    checkout = created()

    assert names(update(checkout, fulfillment_address=CALIFORNIA)) == [
        "ItemsUpdated",
        "FulfillmentAddressUpdated",
        "CheckoutPriced",
    ]
    assert updated(checkout, fulfillment_address=CALIFORNIA).fulfillment_option_id == "ground"


def test_without_a_choice_another_address_selects_its_first_option_and_says_nothing():
    moved = updated(ready(), fulfillment_address=BERLIN)

    assert moved.fulfillment_option_id == "parcel"
    assert moved.messages == ()


def test_an_option_that_is_asked_for_is_selected_and_paid():
    chosen = updated(ready(), fulfillment_option_id="courier")

    assert chosen.fulfillment_option_id == "courier"
    assert amounts(chosen)["fulfillment"] == 1200
    assert amounts(chosen)["tax"] == 73 + 60 + 25


def test_a_choice_stays_as_long_as_it_is_on_offer():
    chosen = ready(fulfillment_option_id="express")

    assert updated(chosen, fulfillment_address=NEW_YORK).fulfillment_option_id == "express"
    assert updated(chosen, items=[]).fulfillment_option_id == "express"


def test_a_choice_that_is_taken_off_offer_is_replaced_by_the_first_option_and_a_message_says_so():
    moved = updated(ready(fulfillment_option_id="courier"), fulfillment_address=NEW_YORK)

    assert moved.fulfillment_option_id == "ground"
    assert [message.model_dump(mode="json") for message in moved.messages] == [
        {
            "type": "info",
            "content_type": "plain",
            "content": "Courier is no longer on offer; Ground was selected instead",
        }
    ]


def test_the_first_option_too_is_replaced_with_a_message_if_it_was_asked_for():
    chosen = updated(ready(), fulfillment_option_id="ground")

    moved = updated(chosen, fulfillment_address=BERLIN)

    assert [message.type for message in moved.messages] == ["info"]


def test_a_replaced_choice_does_not_come_back_by_itself():
    replaced = updated(ready(fulfillment_option_id="courier"), fulfillment_address=NEW_YORK)

    assert updated(replaced, fulfillment_address=CALIFORNIA).fulfillment_option_id == "ground"


def test_a_change_of_buyer_leaves_the_message_and_a_change_of_price_ends_it():
    replaced = updated(ready(fulfillment_option_id="courier"), fulfillment_address=NEW_YORK)

    assert updated(replaced, buyer=None).messages == replaced.messages
    assert updated(replaced, items=[{"id": "mug", "quantity": 2}]).messages == ()


def test_a_choice_waits_while_nothing_is_on_offer_and_holds_again_when_it_is():
    for nowhere in (None, PARIS):
        waiting = updated(ready(fulfillment_option_id="courier"), fulfillment_address=nowhere)

        assert waiting.fulfillment_option_id is None
        back = updated(waiting, fulfillment_address=CALIFORNIA)
        assert back.fulfillment_option_id == "courier"
        assert back.messages == ()


def test_a_choice_that_waited_in_vain_is_replaced_with_a_message():
    waiting = updated(ready(fulfillment_option_id="courier"), fulfillment_address=None)

    moved = updated(waiting, fulfillment_address=BERLIN)

    assert moved.fulfillment_option_id == "parcel"
    assert [message.content for message in moved.messages] == [
        "courier is no longer on offer; Parcel was selected instead"
    ]


def test_null_goes_back_to_the_first_offered_option():
    chosen = ready(fulfillment_option_id="courier")

    assert names(update(chosen, fulfillment_option_id=None)) == [
        "FulfillmentOptionSelected",
        "CheckoutPriced",
    ]
    back = updated(chosen, fulfillment_option_id=None)
    assert back.fulfillment_option_id == "ground"
    assert updated(back, fulfillment_address=BERLIN).messages == ()


def test_choosing_the_first_option_is_recorded_as_a_choice_though_no_amount_changes():
    events = update(ready(), fulfillment_option_id="ground")

    assert names(events) == ["FulfillmentOptionSelected"]


def test_an_option_that_is_not_on_offer_is_refused_and_those_on_offer_are_named():
    wish = UpdateCheckout.parse({"fulfillment_option_id": "parcel"})

    rejection = rejection_of(ready(), wish)

    assert (rejection.code, rejection.param) == (RejectionCode.INVALID, "$.fulfillment_option_id")
    assert "ground, courier, express" in rejection.message


def test_an_option_is_refused_as_long_as_there_is_no_address():
    chosen = {"fulfillment_option_id": "ground"}

    for rejection in (
        rejection_of(created(), UpdateCheckout.parse(chosen)),
        rejection_of(None, CreateCheckout.parse({"items": MUG, **chosen})),
        rejection_of(ready(), UpdateCheckout.parse({**chosen, "fulfillment_address": None})),
    ):
        assert (rejection.code, rejection.param) == (
            RejectionCode.INVALID,
            "$.fulfillment_option_id",
        )
        assert "address" in rejection.message


def test_an_option_is_refused_if_the_address_beside_it_takes_it_off_offer():
    wish = {"fulfillment_option_id": "ground", "fulfillment_address": BERLIN}

    assert rejection_of(ready(), UpdateCheckout.parse(wish)).param == "$.fulfillment_option_id"


def test_an_option_may_be_chosen_together_with_the_address_that_offers_it():
    chosen = updated(created(), fulfillment_option_id="courier", fulfillment_address=CALIFORNIA)

    assert chosen.fulfillment_option_id == "courier"
