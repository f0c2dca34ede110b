"""A price is recorded if anything in it differs, however little."""

from domain.merchant_file import parse_book
from tests.domain.books import BOOK_TOML
from tests.domain.given import BERLIN, NEW_YORK, address, amounts, names, ready, update, updated

OREGON = address("US", "OR")


def empty(**fields):
    """A cart without lines, so that only options and order tax can differ."""
    return updated(ready(**fields), items=[])


def test_an_address_with_other_options_is_priced_though_the_amounts_are_the_same():
    moved = updated(empty(), fulfillment_address=OREGON)

    assert names(update(empty(), fulfillment_address=OREGON))[-1] == "CheckoutPriced"
    assert amounts(moved) == amounts(empty())
    assert [option.id for option in moved.fulfillment_options] == ["ground", "express"]


def test_an_address_with_another_order_tax_is_priced_though_the_options_are_the_same():
    in_oregon = empty(fulfillment_address=OREGON)

    moved = updated(in_oregon, fulfillment_address=NEW_YORK)

    assert moved.fulfillment_options == in_oregon.fulfillment_options
    assert amounts(moved)["tax"] == amounts(in_oregon)["tax"] + 15


def test_another_option_at_the_same_price_is_selected():
    pickup = '[[fulfillment_options]]\nid = "pickup"\ntitle = "Pickup"\ncountry = "DE"\n'
    book = parse_book(BOOK_TOML + pickup + "subtotal = 450\ntax = 72\n")

    checkout = ready(book=book, fulfillment_address=BERLIN)

    assert names(update(checkout, book, fulfillment_option_id="pickup")) == [
        "FulfillmentOptionSelected",
        "CheckoutPriced",
    ]
    chosen = updated(checkout, book, fulfillment_option_id="pickup")
    assert chosen.fulfillment_option_id == "pickup"


def test_an_empty_cart_is_offered_what_its_new_address_has():
    moved = updated(empty(), fulfillment_address=BERLIN)

    assert moved.fulfillment_option_id == "parcel"
    assert amounts(moved) == {"subtotal": 0, "fulfillment": 450, "tax": 72, "total": 522}
