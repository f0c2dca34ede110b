"""`checkout demo` prints each command, event and response of the examples as JSON."""

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
def output():
    ended = checkout("demo")
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def documents(text):
    """The JSON objects in a text, in order."""
    decoder, found, at = json.JSONDecoder(), [], text.find("\n{")
    while at >= 0:
        value, end = decoder.raw_decode(text, at + 1)
        found.append(value)
        at = text.find("\n{", end)
    return found


def test_demo_prints_each_event_in_order_with_its_version(output):
    event_names = re.findall(
        r"^Event checkout_abc123:(\d+): checkout\.(\w+)$", output, re.MULTILINE
    )

    assert event_names == [(str(version), name) for version, name in enumerate(EVENTS, 1)]


def test_demo_prints_the_example_requests_and_responses(output):
    shown = documents(output)

    for name in ("create.request", "update.request", "update.response", "cancel.request"):
        assert example(name) in shown
    replies = [value["checkout"] for value in shown if "command_id" in value]
    assert replies == [example("create.response")]
    closed = [value for value in shown if "canceled_at" in value and "id" in value]
    expected = example("cancel.response")
    assert [value | {"canceled_at": expected["canceled_at"]} for value in closed] == [expected]


def test_demo_prints_the_channel_of_each_command(output):
    assert "checkout.CreateCheckout on Kafka" in output
    assert "PUT /v1/checkouts/checkout_abc123" in output
    assert "POST /v1/checkouts/checkout_abc123/cancel" in output
    assert "checkout.CommandAccepted" in output


def test_demo_completes_a_second_checkout(output):
    event_names = re.findall(r"^Event checkout_\w{32}:\d+: checkout\.(\w+)$", output, re.MULTILINE)
    [order] = [value for value in documents(output) if "order_id" in value and "id" in value]

    assert event_names[-2:] == ["PaymentStarted", "CheckoutCompleted"]
    assert order["status"] == "completed"
    assert order["payment"]["amount"] == 2250
