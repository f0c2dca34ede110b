"""When the merchant's prices are asked for, and when those that were recorded hold."""

import pytest

from domain.checkout import fold
from domain.commands import CreateCheckout, UpdateCheckout
from tests.domain.books import BARE, BOOK, DEARER
from tests.domain.given import (
    ADA,
    CALIFORNIA,
    MUG,
    NEW_YORK,
    amounts,
    ask,
    created,
    names,
    ready,
    rejection_of,
    update,
    updated,
)


def test_a_change_of_buyer_touches_no_amount_though_the_book_has_changed():
    for book in (DEARER, BARE):
        assert names(update(ready(), book, buyer=ADA)) == ["BuyerUpdated"]


def test_items_are_priced_anew_when_they_are_sent_even_if_they_are_the_same():
    priced = updated(ready(), DEARER, items=MUG)

    assert amounts(priced) == {
        "subtotal": 1100,
        "fulfillment": 800,
        "tax": 99 + 35 + 30,
        "total": 2064,
    }


def test_another_address_asks_for_options_and_tax_and_leaves_the_price_of_the_lines():
    priced = updated(ready(fulfillment_address=NEW_YORK), DEARER, fulfillment_address=CALIFORNIA)

    assert amounts(priced) == {
        "subtotal": 1000,
        "fulfillment": 800,
        "tax": 90 + 35 + 30,
        "total": 1955,
    }


def test_another_choice_is_made_among_what_was_offered_at_the_price_it_was_offered_for():
    for book in (DEARER, BARE):
        chosen = updated(ready(), book, fulfillment_option_id="courier")

        assert amounts(chosen) == {
            "subtotal": 1000,
            "fulfillment": 1200,
            "tax": 73 + 60 + 25,
            "total": 2358,
        }


def test_choices_back_and_forth_come_to_the_same_amounts():
    checkout = ready()
    there = updated(checkout, BARE, fulfillment_option_id="express")
    back = updated(there, BARE, fulfillment_option_id=None)

    assert amounts(there)["tax"] == 73 + 0 + 25
    assert amounts(back) == amounts(checkout)


def test_an_unchanged_address_asks_for_nothing():
    assert update(ready(), DEARER, fulfillment_address=CALIFORNIA) == ()
    assert update(ready(), BARE, fulfillment_address=CALIFORNIA) == ()


def test_another_address_is_refused_if_an_item_is_not_sold_any_more():
    wish = UpdateCheckout.parse({"fulfillment_address": NEW_YORK})

    assert rejection_of(ready(), wish, book=BARE).param == "$.items"


def test_clearing_the_address_needs_nothing_of_the_book():
    assert amounts(updated(ready(), BARE, fulfillment_address=None)) == {
        "subtotal": 1000,
        "total": 1000,
    }


def test_currency_and_provider_stay_as_they_were_when_the_checkout_was_opened():
    pears = updated(created(), BARE, items=[{"id": "pear", "quantity": 1}])

    assert (pears.currency, pears.payment_provider) == ("usd", BOOK.payment_provider)


def test_a_replay_comes_to_what_was_recorded_whatever_the_book_says_now(monkeypatch):
    opened = ask(None, CreateCheckout.parse({"items": MUG, "fulfillment_address": CALIFORNIA}))
    checkout = fold(opened)
    changed = ask(checkout, UpdateCheckout.parse({"fulfillment_option_id": "courier"}))
    told = fold(changed, checkout)

    for question in ("item", "options_for", "tax_rate", "order_tax"):
        monkeypatch.setattr(type(BOOK), question, lambda *_: pytest.fail("asked the book"))

    assert fold((*opened, *changed)) == told


def test_an_event_read_back_from_its_json_is_the_same_event():
    wish = {"items": MUG, "buyer": ADA, "fulfillment_address": CALIFORNIA}

    for recorded in ask(None, CreateCheckout.parse(wish)):
        event = recorded.event
        assert type(event).model_validate(event.model_dump(mode="json")) == event
