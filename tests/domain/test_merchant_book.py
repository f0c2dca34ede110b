import pytest

from domain.merchant_book import BookItem
from domain.merchant_file import BrokenBook, parse_book
from tests.domain.books import BOOK_TOML


def fault(text):
    with pytest.raises(BrokenBook) as caught:
        parse_book(text)
    return str(caught.value)


def line_of(piece, nth=1, text=BOOK_TOML):
    """The number of the line where a piece of the text begins for the nth time."""
    at = -1
    for _ in range(nth):
        at = text.index(piece, at + 1)
    return text[:at].count("\n") + 1


@pytest.mark.parametrize(
    ("piece", "broken", "field"),
    [
        ('currency = "usd"', 'currency = "USD"', "currency"),
        ('currency = "usd"', "currency = 1", "currency"),
        ('provider = "stripe"', 'provider = ""', "payment_provider.provider"),
        ('"card", "link"', '"card", 7', "payment_provider.supported_payment_methods[1]"),
        ("unit_amount = 990", "unit_amount = -1", "items[1].unit_amount"),
        ("unit_amount = 990", "unit_amount = 9.9", "items[1].unit_amount"),
        ("unit_amount = 990", 'unit_amount = "990"', "items[1].unit_amount"),
        ("unit_amount = 990", "unit_amount = true", "items[1].unit_amount"),
        ("unit_amount = 990", "unit_amount = 1_000_000_001", "items[1].unit_amount"),
        ('tax_class = "reduced"', "tax_class = 1979-05-27", "items[1].tax_class"),
        ("discount = 33\n", "discout = 33\n", "items[2].discout"),
        ("subtotal = 1500", "subtotal = -1", "fulfillment_options[2].subtotal"),
        ("tax = 72", "tax = 0.72", "fulfillment_options[3].tax"),
        ("basis_points = 725", "basis_points = 10_001", "tax_rates[1].basis_points"),
        ("amount = 40", "amount = -40", "order_taxes[1].amount"),
    ],
)
def test_a_wrong_value_is_told_by_its_line_and_field(piece, broken, field):
    message = fault(BOOK_TOML.replace(piece, broken))

    assert message.startswith(f"line {line_of(piece)}: {field}: ")


def test_a_field_that_is_not_there_is_told_by_the_line_of_its_own_table():
    message = fault(BOOK_TOML.replace('title = "Mug"\n', ""))

    assert message == f"line {line_of('[[items]]')}: items[0].title: Field required"


def test_a_value_out_of_place_is_told_where_it_stands():
    wrong_country = BOOK_TOML.replace('country = "DE"', 'country = "Germany"')

    line = line_of('country = "DE"')
    assert fault(wrong_country).startswith(f"line {line}: fulfillment_options[3].country: ")


def test_a_discount_is_at_most_the_price():
    message = fault(BOOK_TOML.replace("discount = 33\n", "discount = 334\n"))

    assert message.startswith(f"line {line_of('[[items]]', 3)}: items[2]: discount must not exceed")
    assert BookItem(id="gift", title="Gift", unit_amount=5, discount=5).discount == 5


def test_a_region_needs_a_country():
    message = fault(BOOK_TOML.replace('country = "US"\nregion = "NY"', 'region = "NY"'))

    line = line_of("[[order_taxes]]", 2)
    assert message == f"line {line}: order_taxes[1]: region needs a country"


@pytest.mark.parametrize(
    ("repeat", "entry"),
    [
        ('[[items]]\nid = "mug"\ntitle = "Again"\nunit_amount = 1\n', "items[5]"),
        (
            '[[fulfillment_options]]\nid = "ground"\ntitle = "Again"\nsubtotal = 1\n',
            "fulfillment_options[4]",
        ),
        ('[[tax_rates]]\ncountry = "US"\nregion = "ca"\nbasis_points = 1\n', "tax_rates[4]"),
        ('[[order_taxes]]\ncountry = "US"\namount = 1\n', "order_taxes[2]"),
    ],
)
def test_two_entries_for_the_same_are_refused_at_the_second(repeat, entry):
    line = BOOK_TOML.count("\n") + 1

    message = fault(BOOK_TOML + repeat)
    assert message.startswith(f"line {line}: {entry}: there is another entry of the same ")


def test_what_is_missing_altogether_is_told_by_its_name():
    nothing_sold = BOOK_TOML.replace("[[items]]", "[[itmes]]")

    assert fault("") == "line 1: currency: Field required"
    assert fault(nothing_sold) == "line 1: items: Field required"
    assert "items: " in fault(BOOK_TOML.split("[[items]]")[0] + "items = []\n")


def test_a_table_nobody_knows_is_told_by_its_line():
    message = fault(BOOK_TOML + "[[coupons]]\ncode = 1\n")

    line = BOOK_TOML.count("\n") + 1
    assert message.startswith(f"line {line}: coupons: ")


def test_what_is_no_toml_is_told_by_its_line():
    assert "line 2" in fault('currency = "usd"\nitems = ?\n[[items]]')
    assert fault('currency = "usd"\nitems = [') == "not TOML: Invalid value (at end of document)"
    assert fault("\ufeff" + BOOK_TOML).startswith("not TOML: ")
    assert fault("currency = " + "9" * 5000).startswith("not TOML: ")
    assert fault("currency = " + "[" * 100_000).startswith("not TOML: ")


HEAD = 'currency = "usd"\npayment_provider.provider = 5\npayment_provider.supported_payment_methods = []\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + 'items = [{id = "a", title = "A", unit_amount = 1}]', "line 2: payment_provider."),
        (
            HEAD.replace("5", '"p"') + 'items = [\n  {id = "a", title = "A", unit_amount = -1},\n]',
            "line 4: items[0].unit_amount: ",
        ),
        (
            HEAD.replace("5", '"p"')
            + '  [[ "items" ]]\n"id" = "a"\n\'title\' = 1\nunit_amount = 1',
            "line 6: items[0].title: ",
        ),
        (HEAD.replace("5", '"p"') + "[items]\nid = 1", "line 4: items: "),
        ("items = 1\r\ncurrency = 2\r\n", "line 2: currency: "),
        ("# currency = 1\n\n\ncurrency = 2", "line 4: currency: "),
        ("'a b.*' = 1\n" + BOOK_TOML, "line 1: ['a b.*']: "),
    ],
)
def test_other_layouts_of_a_book_are_told_as_closely_as_they_can_be(text, told):
    assert fault(text).startswith(told)


def test_inline_tables_make_the_same_book():
    text = HEAD.replace("5", '"p"') + 'items = [{id = "a", title = "A", unit_amount = 1}]'

    assert parse_book(text).items == (BookItem(id="a", title="A", unit_amount=1),)
