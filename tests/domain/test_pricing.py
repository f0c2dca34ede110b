import pytest

from domain.merchant_book import MAX_UNIT_AMOUNT, MerchantBook
from domain.values import MAX_LINES, MAX_QUANTITY
from tests.domain.books import BARE
from tests.domain.given import (
    BERLIN,
    CALIFORNIA,
    NEW_YORK,
    PARIS,
    amounts,
    created,
    item,
    ready,
    updated,
)


def lines_of(checkout):
    return [
        (line.id, line.base_amount, line.discount, line.subtotal, line.tax, line.total)
        for line in checkout.line_items
    ]


def test_a_line_is_its_quantity_times_price_less_discount_plus_tax():
    checkout = ready(items=[item("mug", 2), item("pen", 10)])

    assert lines_of(checkout) == [
        ("mug", 2000, 0, 2000, 145, 2145),
        ("pen", 3330, 330, 3000, 218, 3218),
    ]


def test_without_an_address_nothing_is_taxed():
    assert lines_of(created()) == [("mug", 1000, 0, 1000, 0, 1000)]


def test_half_a_cent_of_tax_is_rounded_up_on_each_line_of_its_own():
    checkout = ready(items=[item("card"), item("stamp")])

    assert [line.tax for line in checkout.line_items] == [15, 15]


def test_less_than_half_a_cent_of_tax_is_rounded_down():
    assert ready(items=[item("card", 9)]).line_items[0].tax == 131  # 130.50
    assert ready(items=[item("novel", 1)]).line_items[0].tax == 25  # 24.75
    assert ready(items=[item("pen", 3)]).line_items[0].tax == 65  # 65.25


@pytest.mark.parametrize(("basis_points", "tax"), [(4_999, 0), (5_000, 1)])
def test_a_tax_rounds_up_from_exactly_half_a_cent(basis_points, tax):
    seed = {"id": "seed", "title": "Seed", "unit_amount": 1}
    rates = [{"basis_points": basis_points}]
    book = MerchantBook.model_validate({**BARE.model_dump(), "items": [seed], "tax_rates": rates})

    assert ready(book=book, items=[item("seed")]).line_items[0].tax == tax


def test_the_rows_come_in_order_and_add_up_to_the_total():
    checkout = ready(items=[item("mug", 2)])

    assert [(row.type, row.display_text, row.amount) for row in checkout.totals] == [
        ("subtotal", "Subtotal", 2000),
        ("fulfillment", "Shipping", 700),
        ("tax", "Tax", 145 + 35 + 25),
        ("total", "Total", 2905),
    ]


def test_without_an_address_there_is_no_row_for_fulfillment_or_tax():
    assert list(amounts(created()).items()) == [("subtotal", 1000), ("total", 1000)]


def test_with_an_address_there_is_a_row_for_tax_even_if_nothing_is_offered_or_taxed():
    checkout = ready(fulfillment_address=PARIS)

    assert list(amounts(checkout).items()) == [("subtotal", 1000), ("tax", 0), ("total", 1000)]


def test_discounts_are_already_in_the_subtotal():
    assert amounts(created(items=[item("pen", 2)])) == {"subtotal": 600, "total": 600}


def test_an_empty_cart_with_an_address_still_shows_what_shipping_would_cost():
    checkout = updated(ready(), items=[])

    assert list(amounts(checkout).items()) == [
        ("subtotal", 0),
        ("fulfillment", 700),
        ("tax", 60),
        ("total", 760),
    ]


def test_another_address_taxes_the_lines_anew_and_leaves_their_prices():
    lines = lines_of(updated(ready(), fulfillment_address=BERLIN))

    assert lines == [("mug", 1000, 0, 1000, 190, 1190)]


def test_another_address_asks_for_the_rate_of_the_lines_tax_class():
    moved = updated(created(items=[item("novel")]), fulfillment_address=CALIFORNIA)

    assert lines_of(moved) == [("novel", 990, 0, 990, 25, 1015)]


def test_clearing_the_address_takes_all_tax_away():
    cleared = updated(ready(), fulfillment_address=None)

    assert lines_of(cleared) == [("mug", 1000, 0, 1000, 0, 1000)]
    assert amounts(cleared) == {"subtotal": 1000, "total": 1000}


def test_the_flat_order_tax_is_on_the_order_and_on_no_line():
    checkout = ready(fulfillment_address=NEW_YORK)

    assert [line.tax for line in checkout.line_items] == [40]
    assert amounts(checkout)["tax"] == 40 + 35 + 40
    assert amounts(updated(checkout, items=[]))["tax"] == 35 + 40


def test_the_largest_order_is_exact_as_a_json_number():
    dearest = MAX_UNIT_AMOUNT
    items = [{"id": f"gem-{n}", "title": "Gem", "unit_amount": dearest} for n in range(MAX_LINES)]
    option = {"id": "safe", "title": "Safe", "subtotal": dearest, "tax": dearest}
    book = MerchantBook.model_validate(
        {
            **BARE.model_dump(),
            "items": items,
            "fulfillment_options": [option],
            "tax_rates": [{"basis_points": 10_000}],
            "order_taxes": [{"amount": dearest}],
        }
    )

    order = ready(book=book, items=[item(gem["id"], MAX_QUANTITY) for gem in items])

    assert amounts(order)["total"] == 2 * 200 * 10_000 * dearest + 3 * dearest < 2**53
