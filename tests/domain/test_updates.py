import pytest

from domain.commands import UpdateCheckout
from domain.rejection import RejectionCode
from tests.domain.given import (
    ADA,
    BERLIN,
    BOB,
    CALIFORNIA,
    MUG,
    PARIS,
    address,
    created,
    item,
    names,
    ready,
    rejection_of,
    rejection_to_parse,
    update,
    updated,
)

FULL = {"buyer": ADA, "fulfillment_address": CALIFORNIA, "fulfillment_option_id": "courier"}


def facts(checkout):
    return {
        "items": [line.item.model_dump() for line in checkout.line_items],
        "buyer": checkout.buyer and checkout.buyer.model_dump(),
        "fulfillment_address": checkout.fulfillment_address
        and checkout.fulfillment_address.model_dump(),
        "fulfillment_option_id": checkout.fulfillment_option_id,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("items", [item("pen", 4)]),
        ("items", []),
        ("buyer", BOB),
        ("buyer", None),
        ("fulfillment_address", address("US", "CA", line_two="Apt 4B")),
        ("fulfillment_option_id", "express"),
    ],
)
def test_a_field_that_is_sent_replaces_the_whole_and_those_that_are_absent_stay(field, value):
    before = created(**FULL)

    after = updated(before, **{field: value})

    assert facts(after) == {**facts(before), field: value}


def test_an_object_is_replaced_and_not_merged():
    checkout = created(buyer=BOB, fulfillment_address=address("US", "CA", line_two="Apt 4B"))

    after = updated(checkout, buyer=ADA, fulfillment_address=CALIFORNIA)

    assert "phone_number" not in facts(after)["buyer"]
    assert "line_two" not in facts(after)["fulfillment_address"]


def test_a_list_is_replaced_and_not_merged():
    after = updated(created(items=[item("mug", 2), item("pen")]), items=[item("mug", 1)])

    assert facts(after)["items"] == [item("mug", 1)]


def test_null_clears_the_address_and_the_selected_option_with_it():
    after = updated(created(**FULL), fulfillment_address=None)

    assert facts(after) == {
        "items": MUG,
        "buyer": ADA,
        "fulfillment_address": None,
        "fulfillment_option_id": None,
    }


def test_items_can_not_be_null():
    rejection = rejection_to_parse(UpdateCheckout, {"items": None})

    assert (rejection.code, rejection.param) == (RejectionCode.INVALID, "$.items")


@pytest.mark.parametrize("field", ["items", "buyer", "fulfillment_address"])
def test_each_change_is_told_by_its_event_and_the_price_only_if_it_differs(field):
    value, expected = {
        "items": ([item("mug", 2)], ["ItemsUpdated", "CheckoutPriced"]),
        "buyer": (BOB, ["BuyerUpdated"]),
        "fulfillment_address": (address("US", "CA", city="LA"), ["FulfillmentAddressUpdated"]),
    }[field]

    assert names(update(created(**FULL), **{field: value})) == expected


def test_all_changes_at_once_are_told_in_one_order_with_the_price_last():
    events = update(
        ready(),
        fulfillment_option_id="parcel",
        fulfillment_address=BERLIN,
        buyer=ADA,
        items=[item("pen")],
    )

    assert names(events) == [
        "ItemsUpdated",
        "BuyerUpdated",
        "FulfillmentAddressUpdated",
        "FulfillmentOptionSelected",
        "CheckoutPriced",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"items": MUG},
        {"buyer": ADA},
        {"fulfillment_address": CALIFORNIA},
        {"fulfillment_option_id": "courier"},
        {**FULL, "items": MUG},
    ],
)
def test_an_update_that_changes_nothing_is_accepted_and_records_nothing(fields):
    assert update(created(**FULL), **fields) == ()


def test_clearing_what_is_not_there_records_nothing():
    nulls = {"buyer": None, "fulfillment_address": None, "fulfillment_option_id": None}

    assert update(created(), **nulls) == ()
    assert update(updated(created(), items=[]), items=[]) == ()


def test_the_order_of_the_lines_is_the_order_they_were_sent_in():
    after = updated(created(items=[item("mug"), item("pen")]), items=[item("pen"), item("mug")])

    assert [line.id for line in after.line_items] == ["pen", "mug"]


def test_other_items_for_the_same_amount_are_priced_too():
    events = update(created(items=[item("card")]), items=[item("stamp")])

    assert names(events) == ["ItemsUpdated", "CheckoutPriced"]


def test_an_unknown_item_is_refused_by_its_place_in_the_list():
    wish = UpdateCheckout.parse({"items": [item("mug"), item("unicorn")]})

    assert rejection_of(ready(), wish).param == "$.items[1].id"


def test_a_checkout_that_does_not_exist_is_not_found():
    wish = UpdateCheckout.parse({"fulfillment_address": PARIS})

    assert rejection_of(None, wish).code == RejectionCode.NOT_FOUND
