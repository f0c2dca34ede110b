import json

import pytest

from domain.commands import COMMANDS, CancelCheckout, CreateCheckout, UpdateCheckout
from domain.rejection import RejectionCode
from tests.domain.given import ADA, BOB, CALIFORNIA, MUG, address, item, rejection_to_parse

NO_QUANTITIES = [True, "1", 1.0, 0, -1, 10_001, 2**70, None, [1], {}]
NO_TEXTS = ["", "x" * 501, 7, True, [], {}, json.loads('"\\ud800"')]
NO_COUNTRIES = ["us", "USA", "XX", "UK", "", " US", 1, None]
FULL = {
    "items": MUG,
    "buyer": BOB,
    "fulfillment_address": address("US", "CA", line_two="Apt 4B"),
    "fulfillment_option_id": "ground",
}
TEXTS = [
    *(("buyer", name) for name in BOB),
    *(
        ("fulfillment_address", name)
        for name in {**CALIFORNIA, "line_two": ""}
        if name != "country"
    ),
    ("items", 0, "id"),
    ("fulfillment_option_id",),
]
REQUIRED = [
    *(("buyer", name) for name in ADA),
    *(("fulfillment_address", name) for name in CALIFORNIA),
    ("items", 0, "id"),
    ("items", 0, "quantity"),
]


def changed(path, value):
    """The full body with another value at a path, and the path as JSONPath."""
    body = json.loads(json.dumps(FULL))
    inner = body
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return body


def json_path(path):
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def assert_refused(body, param, commands=(CreateCheckout, UpdateCheckout)):
    for command in commands:
        rejection = rejection_to_parse(command, body)
        assert (rejection.code, rejection.param) == (RejectionCode.INVALID, param)
        assert rejection.message


@pytest.mark.parametrize("quantity", NO_QUANTITIES, ids=repr)
def test_a_quantity_is_a_json_integer_from_1_to_10_000(quantity):
    assert_refused(changed(("items", 0, "quantity"), quantity), "$.items[0].quantity")


@pytest.mark.parametrize("quantity", [1, 10_000])
def test_the_smallest_and_the_largest_quantity_are_taken(quantity):
    assert CreateCheckout.parse({"items": [item("mug", quantity)]}).items[0].quantity == quantity


@pytest.mark.parametrize("path", TEXTS, ids=json_path)
def test_a_string_has_1_to_500_characters(path):
    for text in NO_TEXTS:
        assert_refused(changed(path, text), json_path(path))


@pytest.mark.parametrize("path", TEXTS, ids=json_path)
def test_the_shortest_and_the_longest_string_are_taken_by_characters_not_bytes(path):
    for text in ("x", "\N{SNOWMAN}" * 500):
        body = changed(path, text)
        for command in (CreateCheckout, UpdateCheckout):
            assert command.parse(body).model_dump(mode="json") == body


@pytest.mark.parametrize("country", NO_COUNTRIES, ids=repr)
def test_a_country_is_an_assigned_code_in_upper_case(country):
    path = ("fulfillment_address", "country")

    assert_refused(changed(path, country), "$.fulfillment_address.country")


@pytest.mark.parametrize("path", REQUIRED, ids=json_path)
def test_a_required_field_is_missed_by_its_name(path):
    body = changed(path, None)
    assert_refused(body, json_path(path))

    inner = body[path[0]][0] if path[0] == "items" else body[path[0]]
    del inner[path[-1]]
    assert_refused(body, json_path(path))


def test_two_hundred_lines_are_taken_and_not_one_more():
    lines = [item(f"item-{number}") for number in range(201)]

    assert len(CreateCheckout.parse({"items": lines[:200]}).items) == 200
    assert_refused({"items": lines}, "$.items")


def test_the_same_item_twice_is_refused_whatever_the_quantities():
    assert_refused({"items": [item("mug"), item("pen"), item("mug", 2)]}, "$.items")


def test_a_create_needs_at_least_one_item():
    assert_refused({"items": []}, "$.items", (CreateCheckout,))
    assert_refused({"buyer": ADA}, "$.items", (CreateCheckout,))
    assert_refused({"items": None}, "$.items", (CreateCheckout,))


@pytest.mark.parametrize("value", [{}, "mug", 1, True], ids=repr)
def test_items_are_a_list_of_objects(value):
    assert_refused({"items": value}, "$.items")
    assert_refused({"items": [value]}, "$.items[0]" if value != {} else "$.items[0].id")


@pytest.mark.parametrize("field", ["buyer", "fulfillment_address"])
@pytest.mark.parametrize("value", ["Ada", 1, True, [ADA]], ids=repr)
def test_a_buyer_and_an_address_are_objects(field, value):
    assert_refused({"items": MUG, field: value}, f"$.{field}")


@pytest.mark.parametrize("path", [(), ("buyer",), ("fulfillment_address",), ("items", 0)])
def test_an_unknown_field_is_refused_by_its_name(path):
    assert_refused(changed((*path, "colour"), "red"), json_path((*path, "colour")))


def test_an_unknown_field_with_a_strange_name_is_quoted():
    assert_refused({"items": MUG, "a b": 1}, "$['a b']")
    assert_refused({"items": MUG, "x" * 100: 1}, f"$.{'x' * 100}")
    assert_refused({"items": MUG, "x" * 101: 1}, f"$['{'x' * 100}']")
    assert_refused({"items": MUG, "\N{GREEK SMALL LETTER PI}": 1}, r"$['\u03c0']")
    assert_refused({"items": MUG, "\N{SNOWMAN}": 1}, r"$['\u2603']")


@pytest.mark.parametrize("field", ["reason", "message"])
def test_a_cancel_takes_a_reason_and_a_message_and_no_more(field):
    for text in NO_TEXTS:
        assert_refused({field: text}, f"$.{field}", (CancelCheckout,))
    assert_refused({"mesage": "typo"}, "$.mesage", (CancelCheckout,))
    assert CancelCheckout.parse({field: "x" * 500}) != CancelCheckout.parse({field: None})


@pytest.mark.parametrize("body", [None, [], "x", 1, True, [["items", []]]], ids=repr)
def test_a_body_is_a_json_object(body):
    assert_refused(body, "$", COMMANDS.values())
