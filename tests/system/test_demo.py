"""`checkout demo` tells the story of the examples, with each event's name and the JSON."""

import json
import re

import pytest

from tests.example_files import example
from tests.services.command_line import checkout

EVENTS = [
    "CheckoutCreated",
    "ItemsUpdated",
    "BuyerUpdated",
    "FulfillmentAddressUpdated",
    "CheckoutPriced",
    "ItemsUpdated",
    "FulfillmentAddressUpdated",
    "FulfillmentOptionSelected",
    "CheckoutPriced",
    "CheckoutCanceled",
]


@pytest.fixture(scope="module")
def told():
    ended = checkout("demo")
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def documents(text):
    """The JSON objects in a text, in their order."""
    decoder, found, at = json.JSONDecoder(), [], text.find("\n{")
    while at >= 0:
        value, end = decoder.raw_decode(text, at + 1)
        found.append(value)
        at = text.find("\n{", end)
    return found


def test_it_names_each_event_in_its_order_with_its_version(told):
    named = re.findall(r"^Event checkout_abc123:(\d+): checkout\.(\w+)$", told, re.MULTILINE)

    assert named == [(str(version), name) for version, name in enumerate(EVENTS, 1)]


def test_it_shows_the_requests_and_answers_of_the_examples(told):
    shown = documents(told)

    for name in ("create.request", "update.request", "update.response", "cancel.request"):
        assert example(name) in shown
    replies = [value["checkout"] for value in shown if "command_id" in value]
    assert replies == [example("create.response")]
    closed = [value for value in shown if "canceled_at" in value and "id" in value]
    expected = example("cancel.response")
    assert [value | {"canceled_at": expected["canceled_at"]} for value in closed] == [expected]


def test_it_tells_which_door_each_command_comes_through(told):
    assert "checkout.CreateCheckout on Kafka" in told
    assert "PUT /v1/checkouts/checkout_abc123" in told
    assert "POST /v1/checkouts/checkout_abc123/cancel" in told
    assert "checkout.CommandAccepted" in told


def test_another_buyer_pays_and_gets_an_order(told):
    named = re.findall(r"^Event checkout_\w{32}:\d+: checkout\.(\w+)$", told, re.MULTILINE)
    [order] = [value for value in documents(told) if "order_id" in value and "id" in value]

    assert named[-2:] == ["PaymentStarted", "CheckoutCompleted"]
    assert order["status"] == "completed"
    assert order["payment"]["amount"] == 2250
