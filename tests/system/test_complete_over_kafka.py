"""Completing a checkout over Kafka: the reply reports the start of the payment, an event its outcome."""

import json

import pytest

from tests.system.kafka_user import SOURCE, KafkaUser, header, new_id
from tests.system.payment_requests import READY_CHECKOUT, payment_body

READY_VERSION = 4
"""The version of a new checkout that is ready for payment."""


async def create_ready_checkout(kafka: KafkaUser) -> str:
    """Create a checkout that is ready for payment; returns its id."""
    checkout_id = new_id()
    created = await kafka.request("CreateCheckout", checkout_id, READY_CHECKOUT)
    assert created["version"] == READY_VERSION
    return checkout_id


async def payment_result(kafka: KafkaUser, checkout_id: str, version: int = READY_VERSION + 2):
    """The event that records the payment's outcome, and its data."""
    events = await kafka.events_of(checkout_id, version)
    return events[-1], json.loads(events[-1].value)


RESULTS = {
    "paid": ("spt_ok", "checkout.CheckoutCompleted"),
    "declined": ("spt_declined", "checkout.PaymentDeclined"),
    "paid on the third call": ("spt_timeout", "checkout.CheckoutCompleted"),
}


@pytest.mark.parametrize(("token", "expected_type"), RESULTS.values(), ids=RESULTS)
async def test_a_reply_reports_the_start_and_an_event_with_the_commands_id_the_outcome(
    kafka: KafkaUser, token: str, expected_type: str
):
    checkout_id = await create_ready_checkout(kafka)

    command_id = await kafka.publish(
        "CompleteCheckout", checkout_id, payment_body(token), ce_correlationid="story 7"
    )

    [reply] = await kafka.replies_to(command_id)
    assert (reply["version"], reply["checkout"]["status"]) == (READY_VERSION + 1, "in_progress")
    event, _ = await payment_result(kafka, checkout_id)
    assert header(event, "ce_type") == expected_type
    assert header(event, "ce_causationid") == command_id
    assert header(event, "ce_causationsource") == SOURCE
    assert header(event, "ce_correlationid") == "story 7"
    assert header(event, "ce_actor") == SOURCE


async def test_outcome_events_hold_the_attempt_amount_and_order(kafka: KafkaUser):
    checkout_id = await create_ready_checkout(kafka)
    await kafka.request("CompleteCheckout", checkout_id, payment_body("spt_declined"))
    _, declined = await payment_result(kafka, checkout_id)
    await kafka.request("CompleteCheckout", checkout_id, payment_body())
    _, completed = await payment_result(kafka, checkout_id, READY_VERSION + 4)

    first, second = [
        json.loads(event.value)
        for event in await kafka.events_of(checkout_id, READY_VERSION + 4)
        if header(event, "ce_type") == "checkout.PaymentStarted"
    ]
    assert first["attempt_id"] != second["attempt_id"]
    assert (declined["attempt_id"], declined["code"]) == (first["attempt_id"], "card_declined")
    assert completed["payment"]["amount"] == first["amount"] == second["amount"]
    assert completed["checkout"]["status"] == "completed"
    assert completed["checkout"]["order_id"] == completed["order_id"]


@pytest.mark.parametrize("token", ["spt_ok", "spt_declined"])
async def test_a_repeat_after_the_payment_gets_the_same_reply_and_pays_nothing(
    kafka: KafkaUser, http, token: str
):
    checkout_id, command_id = await create_ready_checkout(kafka), new_id()
    await kafka.publish("CompleteCheckout", checkout_id, payment_body(token), command_id)
    await payment_result(kafka, checkout_id)

    for _ in range(2):
        await kafka.publish("CompleteCheckout", checkout_id, payment_body(token), command_id)

    values = {json.dumps(reply) for reply in await kafka.replies_to(command_id, 3)}
    [value] = values
    assert json.loads(value)["checkout"]["status"] == "in_progress"
    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert shown.headers["etag"] == f'"{READY_VERSION + 2}"'


async def test_commands_are_rejected_while_a_payment_is_in_progress(kafka: KafkaUser):
    checkout_id = await create_ready_checkout(kafka)
    await kafka.request("CompleteCheckout", checkout_id, payment_body("spt_timeout_1"))

    rejected = await kafka.request("CancelCheckout", checkout_id, None)
    event, _ = await payment_result(kafka, checkout_id)
    closed = await kafka.request("CompleteCheckout", checkout_id, payment_body())

    assert rejected["error"]["code"] == "in_progress"
    assert header(event, "ce_type") == "checkout.CheckoutCompleted"
    assert closed["error"]["code"] == "checkout_closed"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (payment_body(provider="paypal"), "invalid", "$.payment_data.provider"),
        ({}, "invalid", "$.payment_data"),
        (payment_body(cvc="123"), "invalid", "$.payment_data.cvc"),
    ],
)
async def test_an_invalid_complete_is_rejected_and_names_the_field(
    kafka: KafkaUser, body, code: str, param: str
):
    checkout_id = await create_ready_checkout(kafka)

    reply = await kafka.request("CompleteCheckout", checkout_id, body)

    assert (reply["error"]["code"], reply["error"]["param"]) == (code, param)
    paid = await kafka.request("CompleteCheckout", checkout_id, payment_body())
    assert paid["version"] == READY_VERSION + 1


@pytest.mark.parametrize("command_type", ["RecordPayment", "RecordDecline"])
async def test_a_publisher_cannot_record_a_payment_outcome(kafka: KafkaUser, command_type: str):
    checkout_id = await create_ready_checkout(kafka)
    await kafka.request("CompleteCheckout", checkout_id, payment_body("spt_timeout_1"))
    [*_, started] = await kafka.events_of(checkout_id, READY_VERSION + 1)
    claim = {"attempt_id": json.loads(started.value)["attempt_id"], "payment_id": "pay_mine"}

    reply = await kafka.request(command_type, checkout_id, claim)

    assert reply["error"]["code"] == "invalid"
    _, completed = await payment_result(kafka, checkout_id)
    assert completed["payment"]["id"] != "pay_mine"
