from itertools import permutations

import pytest

from domain.values import Address
from tests.domain.books import BARE
from tests.domain.given import address

RULES = {
    "everywhere": {},
    "country": {"country": "US"},
    "region": {"country": "US", "region": "CA"},
}
CLASSES = {"any": {}, "books": {"tax_class": "books"}}
RATES = [
    {**place, **tax_class, "basis_points": points}
    for points, (place, tax_class) in enumerate(
        ((place, tax_class) for place in RULES.values() for tax_class in CLASSES.values()), start=1
    )
]


def book_with(**tables):
    return type(BARE).model_validate({**BARE.model_dump(), **tables})


def at(country, state):
    return Address.model_validate(address(country, state))


@pytest.mark.parametrize(
    ("country", "state", "tax_class", "points"),
    [
        ("US", "CA", "books", 6),
        ("US", "CA", "standard", 5),
        ("US", "NY", "books", 4),
        ("US", "NY", "standard", 3),
        ("DE", "BE", "books", 2),
        ("DE", "CA", "standard", 1),
    ],
)
def test_a_region_goes_before_a_country_before_everywhere_and_there_a_class_before_any(
    country, state, tax_class, points
):
    for rates in (RATES, RATES[::-1]):
        assert book_with(tax_rates=rates).tax_rate(at(country, state), tax_class) == points


def test_where_no_rule_fits_there_is_no_tax():
    rules = book_with(
        tax_rates=[{"country": "US", "tax_class": "books", "basis_points": 9}],
        order_taxes=[{"country": "US", "region": "CA", "amount": 9}],
    )

    assert rules.tax_rate(at("US", "CA"), "standard") == 0
    assert rules.tax_rate(at("DE", "CA"), "books") == 0
    assert rules.order_tax(at("US", "NY")) == 0


def test_the_most_specific_order_tax_holds_alone():
    taxes = [{"amount": 1}, {"country": "US", "amount": 2}, {**RULES["region"], "amount": 3}]

    for order in permutations(taxes):
        book = book_with(order_taxes=order)
        assert book.order_tax(at("US", "CA")) == 3
        assert book.order_tax(at("US", "NY")) == 2
        assert book.order_tax(at("DE", "CA")) == 1
        assert book.order_tax(None) == 0


def test_a_region_is_the_same_in_upper_and_lower_case():
    book = book_with(order_taxes=[{"country": "US", "region": "Ca", "amount": 3}])

    assert book.order_tax(at("US", "cA")) == 3


def test_a_rate_goes_from_nothing_to_all_of_the_subtotal():
    exempt = {**RULES["region"], "basis_points": 0}
    book = book_with(tax_rates=[{"basis_points": 10_000}, exempt])

    assert book.tax_rate(at("US", "CA"), "standard") == 0
    assert book.tax_rate(at("US", "NY"), "standard") == 10_000
