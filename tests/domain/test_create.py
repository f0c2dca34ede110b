from domain.commands import CreateCheckout
from domain.rejection import RejectionCode
from projections.checkout_view import render
from tests.domain.books import BARE
from tests.domain.given import ADA, CALIFORNIA, MUG, ask, created, rejection_of


def test_a_create_tells_first_that_it_was_opened_then_each_fact_and_last_the_price():
    body = {
        "items": MUG,
        "buyer": ADA,
        "fulfillment_address": CALIFORNIA,
        "fulfillment_option_id": "courier",
    }

    stream = ask(None, CreateCheckout.parse(body))

    assert [recorded.event.NAME for recorded in stream] == [
        "CheckoutCreated",
        "ItemsUpdated",
        "BuyerUpdated",
        "FulfillmentAddressUpdated",
        "FulfillmentOptionSelected",
        "CheckoutPriced",
    ]


def test_a_create_records_no_fact_that_was_not_given():
    stream = ask(None, CreateCheckout.parse({"items": MUG}))

    assert [recorded.event.NAME for recorded in stream] == [
        "CheckoutCreated",
        "ItemsUpdated",
        "CheckoutPriced",
    ]


def test_null_for_an_optional_field_of_a_create_is_as_if_it_were_absent():
    nulls = created(buyer=None, fulfillment_address=None, fulfillment_option_id=None)

    assert nulls == created()


def test_currency_provider_and_links_are_the_merchants():
    view = render(created())

    assert view["currency"] == "usd"
    assert view["payment_provider"] == {
        "provider": "stripe",
        "supported_payment_methods": ["card", "link"],
    }
    assert view["links"] == [{"type": "terms_of_use", "url": "https://shop.example/terms"}]


def test_a_line_has_the_id_of_its_item():
    assert [line.id for line in created().line_items] == ["mug"]


def test_the_view_leaves_out_what_is_not_known_yet():
    assert render(created()).keys() == {
        "id",
        "payment_provider",
        "status",
        "currency",
        "line_items",
        "fulfillment_options",
        "totals",
        "messages",
        "links",
    }


def test_an_id_that_is_taken_is_refused_whatever_version_was_expected():
    command = CreateCheckout.parse({"items": MUG})

    for expected_version in (None, 0, 7):
        rejection = rejection_of(created(), command, expected_version=expected_version)
        assert rejection.code == RejectionCode.ALREADY_EXISTS


def test_an_unknown_item_is_refused_by_its_place_in_the_list():
    body = {"items": [*MUG, {"id": "unicorn", "quantity": 1}]}

    rejection = rejection_of(None, CreateCheckout.parse(body))

    assert (rejection.code, rejection.param) == (RejectionCode.INVALID, "$.items[1].id")
    assert "unicorn" in rejection.message


def test_what_the_merchant_does_not_sell_any_more_can_not_be_created():
    rejection = rejection_of(None, CreateCheckout.parse({"items": MUG}), book=BARE)

    assert rejection.param == "$.items[0].id"
