"""Bodies and queries that are not a valid command: each gets a 400 that names the field."""

import json

import pytest

from tests.system.http_user import ADDRESS, BUYER, ITEMS, create_checkout, error_of

HUGE = "x" * 501


def items(count, quantity=1):
    return [{"id": f"item_{number}", "quantity": quantity} for number in range(count)]


async def post(http, body, path="/v1/checkouts"):
    """POST bytes with a JSON content type."""
    return await http.post(path, content=body, headers={"Content-Type": "application/json"})


UNREADABLE = {
    "nothing": (b"", "$"),
    "words": (b"hello", "$"),
    "half an object": (b'{"items": [', "$"),
    "two values": (b"{}{}", "$"),
    "a byte-order mark": (b"\xef\xbb\xbf{}", "$"),
    "Latin-1": (b'{"items": "\xe9"}', "$"),
    "NaN": (b'{"items": [{"id": "item_123", "quantity": NaN}]}', "$"),
    "infinity": (b'{"items": -Infinity}', "$"),
    "a lone surrogate": (b'{"items": [{"id": "\\ud800", "quantity": 1}]}', "$"),
    "a lone surrogate as a name": (b'{"\\udfff": 1}', "$"),
    "an endless number": (b'{"items": ' + b"9" * 5000 + b"}", "$"),
    "900 kB of nested arrays": (b"[" * 900_000, "$"),
    "900 kB of nested objects": (b'{"a":' * 180_000, "$"),
    "the same key twice": (b'{"items": [], "items": []}', "$.items"),
    "the same key twice, spelled otherwise": (b'{"items": [], "i\\u0074ems": []}', "$.items"),
    "an array": (b"[]", "$"),
    "null": (b"null", "$"),
    "a string": (b'"items"', "$"),
}


@pytest.mark.parametrize(("body", "param"), UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_a_body_that_is_not_a_json_object_is_rejected(http, body, param):
    assert error_of(await post(http, body)) == (400, "invalid", param)


OUT_OF_BOUNDS = {
    "no items": ({}, "$.items"),
    "an empty list of items": ({"items": []}, "$.items"),
    "items that are null": ({"items": None}, "$.items"),
    "items that are an object": ({"items": {}}, "$.items"),
    "an item that is a string": ({"items": ["item_123"]}, "$.items[0]"),
    "no quantity": ({"items": [{"id": "item_123"}]}, "$.items[0].quantity"),
    "no id": ({"items": [{"quantity": 1}]}, "$.items[0].id"),
    "an empty id": ({"items": [{"id": "", "quantity": 1}]}, "$.items[0].id"),
    "a long id": ({"items": [{"id": HUGE, "quantity": 1}]}, "$.items[0].id"),
    "quantity 0": ({"items": items(1, 0)}, "$.items[0].quantity"),
    "quantity -1": ({"items": items(1, -1)}, "$.items[0].quantity"),
    "quantity 10,001": ({"items": items(1, 10_001)}, "$.items[0].quantity"),
    "quantity true": ({"items": items(1, True)}, "$.items[0].quantity"),
    "quantity as text": ({"items": items(1, "1")}, "$.items[0].quantity"),
    "quantity 1.0": ({"items": items(1, 1.0)}, "$.items[0].quantity"),
    "quantity beyond 64 bits": ({"items": items(1, 2**70)}, "$.items[0].quantity"),
    "201 lines": ({"items": items(201)}, "$.items"),
    "the same item twice": ({"items": ITEMS + ITEMS}, "$.items"),
    "an unknown field of an item": ({"items": [ITEMS[0] | {"x": 1}]}, "$.items[0].x"),
    "an unknown field": ({"items": ITEMS, "coupon": "x"}, "$.coupon"),
    "an unknown field with a hostile name": ({"items": ITEMS, "a'b\n": 1}, r"""$["a'b\n"]"""),
    "a buyer without email": (
        {"items": ITEMS, "buyer": {"first_name": "J", "last_name": "D"}},
        "$.buyer.email",
    ),
    "a buyer's empty name": (
        {"items": ITEMS, "buyer": BUYER | {"last_name": ""}},
        "$.buyer.last_name",
    ),
    "a buyer's unknown field": ({"items": ITEMS, "buyer": BUYER | {"age": 30}}, "$.buyer.age"),
    "a buyer's number as a number": (
        {"items": ITEMS, "buyer": BUYER | {"phone_number": 123}},
        "$.buyer.phone_number",
    ),
    "a buyer that is a list": ({"items": ITEMS, "buyer": []}, "$.buyer"),
    "a country in lower case": (
        {"items": ITEMS, "fulfillment_address": ADDRESS | {"country": "us"}},
        "$.fulfillment_address.country",
    ),
    "a country that is none": (
        {"items": ITEMS, "fulfillment_address": ADDRESS | {"country": "XX"}},
        "$.fulfillment_address.country",
    ),
    "an address without a city": (
        {"items": ITEMS, "fulfillment_address": {k: v for k, v in ADDRESS.items() if k != "city"}},
        "$.fulfillment_address.city",
    ),
    "an address with a long line": (
        {"items": ITEMS, "fulfillment_address": ADDRESS | {"line_two": HUGE}},
        "$.fulfillment_address.line_two",
    ),
    "an empty option": ({"items": ITEMS, "fulfillment_option_id": ""}, "$.fulfillment_option_id"),
}


@pytest.mark.parametrize(("body", "param"), OUT_OF_BOUNDS.values(), ids=OUT_OF_BOUNDS.keys())
async def test_create_rejects_a_value_out_of_bounds_and_names_the_field(http, body, param):
    answer = await post(http, json.dumps(body).encode())

    assert error_of(answer) == (400, "invalid", param)


BY_THE_BOOK = {
    "an unknown item": ({"items": [{"id": "item_999", "quantity": 1}]}, "$.items[0].id"),
    "an unknown option": (
        {"fulfillment_address": ADDRESS, "fulfillment_option_id": "by_drone"},
        "$.fulfillment_option_id",
    ),
    "an option without an address": (
        {"fulfillment_option_id": "shipping_fast"},
        "$.fulfillment_option_id",
    ),
}


@pytest.mark.parametrize(("change", "param"), BY_THE_BOOK.values(), ids=BY_THE_BOOK.keys())
async def test_an_item_or_option_that_the_merchant_does_not_offer_is_rejected(http, change, param):
    path = await create_checkout(http)

    created = await http.post("/v1/checkouts", json={"items": ITEMS} | change)
    updated = await http.put(path, json=change)

    assert error_of(created) == (400, "invalid", param)
    assert error_of(updated) == (400, "invalid", param)


@pytest.mark.parametrize(
    ("call", "body", "param"),
    [
        ("PUT ", {"items": None}, "$.items"),
        ("PUT ", {"status": "completed"}, "$.status"),
        ("PUT ", {"buyer": {}}, "$.buyer.first_name"),
        ("PUT ", {"items": items(1, 0)}, "$.items[0].quantity"),
        ("PUT ", [], "$"),
        ("POST /cancel", {"reason": ""}, "$.reason"),
        ("POST /cancel", {"message": HUGE}, "$.message"),
        ("POST /cancel", {"reason": 1}, "$.reason"),
        ("POST /cancel", {"why": "x"}, "$.why"),
        ("POST /cancel", None, "$"),
    ],
)
async def test_update_and_cancel_reject_a_value_out_of_bounds_and_change_nothing(
    http, call, body, param
):
    path = await create_checkout(http)
    method, _, below = call.partition(" ")
    before = await http.get(path)

    answer = await http.request(
        method,
        path + below,
        content=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )

    assert error_of(answer) == (400, "invalid", param)
    after = await http.get(path)
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])


async def test_values_at_the_bounds_are_accepted(http):
    most = {
        "items": [{"id": "item_123", "quantity": 10_000}],
        "buyer": BUYER | {"email": "x" * 500},
    }
    least = {"items": [{"id": "item_123", "quantity": 1}], "buyer": BUYER | {"email": "x"}}

    for body in (most, least):
        answer = await http.post("/v1/checkouts", json=body)
        assert (answer.status_code, answer.json()["buyer"]) == (201, body["buyer"])


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
async def test_an_unknown_query_parameter_is_rejected_by_name(http, method):
    path = await create_checkout(http)
    path = f"{path}/cancel" if method == "POST" else path
    body = None if method == "GET" else {}

    answer = await http.request(method, path, params={"dry_run": "1"}, json=body)

    assert error_of(answer)[:2] == (400, "invalid")
    assert "dry_run" in answer.json()["param"]
