"""Completing a checkout over Kafka: the reply says that the payment has started, an event how it ended."""

import json

import pytest

from tests.system.kafka_user import SOURCE, KafkaUser, header, new_id
from tests.system.paying import READY, paying

OPENING = 4
"""Events that open a checkout which lacks nothing."""


async def ready(kafka: KafkaUser) -> str:
    """The id of a new checkout that is ready for payment."""
    checkout_id = new_id()
    created = await kafka.ask("CreateCheckout", checkout_id, READY)
    assert created["version"] == OPENING
    return checkout_id


async def end_of(kafka: KafkaUser, checkout_id: str, version: int = OPENING + 2):
    """The event that a payment ended with, and its data."""
    events = await kafka.events_of(checkout_id, version)
    return events[-1], json.loads(events[-1].value)


ENDS = {
    "paid": ("spt_ok", "checkout.CheckoutCompleted"),
    "declined": ("spt_declined", "checkout.PaymentDeclined"),
    "paid at the third ask": ("spt_timeout", "checkout.CheckoutCompleted"),
}


@pytest.mark.parametrize(("token", "end"), ENDS.values(), ids=ENDS)
async def test_accepted_means_started_and_the_end_is_an_event_that_names_the_command(
    kafka: KafkaUser, token: str, end: str
):
    checkout_id = await ready(kafka)

    command_id = await kafka.publish(
        "CompleteCheckout", checkout_id, paying(token), ce_correlationid="story 7"
    )

    [reply] = await kafka.replies_to(command_id)
    assert (reply["version"], reply["checkout"]["status"]) == (OPENING + 1, "in_progress")
    event, _ = await end_of(kafka, checkout_id)
    assert header(event, "ce_type") == end
    assert header(event, "ce_causationid") == command_id
    assert header(event, "ce_causationsource") == SOURCE
    assert header(event, "ce_correlationid") == "story 7"
    assert header(event, "ce_actor") == SOURCE


async def test_the_end_says_all_that_a_consumer_needs(kafka: KafkaUser):
    checkout_id = await ready(kafka)
    await kafka.ask("CompleteCheckout", checkout_id, paying("spt_declined"))
    _, declined = await end_of(kafka, checkout_id)
    await kafka.ask("CompleteCheckout", checkout_id, paying())
    _, completed = await end_of(kafka, checkout_id, OPENING + 4)

    first, second = [
        json.loads(event.value)
        for event in await kafka.events_of(checkout_id, OPENING + 4)
        if header(event, "ce_type") == "checkout.PaymentStarted"
    ]
    assert first["attempt_id"] != second["attempt_id"]
    assert (declined["attempt_id"], declined["code"]) == (first["attempt_id"], "card_declined")
    assert completed["payment"]["amount"] == first["amount"] == second["amount"]
    assert completed["checkout"]["status"] == "completed"
    assert completed["checkout"]["order_id"] == completed["order_id"]


@pytest.mark.parametrize("token", ["spt_ok", "spt_declined"])
async def test_a_repeat_gets_the_same_reply_after_the_end_too_and_pays_nothing(
    kafka: KafkaUser, http, token: str
):
    checkout_id, command_id = await ready(kafka), new_id()
    await kafka.publish("CompleteCheckout", checkout_id, paying(token), command_id)
    await end_of(kafka, checkout_id)

    for _ in range(2):
        await kafka.publish("CompleteCheckout", checkout_id, paying(token), command_id)

    values = {json.dumps(reply) for reply in await kafka.replies_to(command_id, 3)}
    [value] = values
    assert json.loads(value)["checkout"]["status"] == "in_progress"
    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert shown.headers["etag"] == f'"{OPENING + 2}"'


async def test_a_running_payment_takes_no_command_and_the_end_does(kafka: KafkaUser):
    checkout_id = await ready(kafka)
    await kafka.ask("CompleteCheckout", checkout_id, paying("spt_timeout_1"))

    refused = await kafka.ask("CancelCheckout", checkout_id, None)
    event, _ = await end_of(kafka, checkout_id)
    closed = await kafka.ask("CompleteCheckout", checkout_id, paying())

    assert refused["error"]["code"] == "in_progress"
    assert header(event, "ce_type") == "checkout.CheckoutCompleted"
    assert closed["error"]["code"] == "checkout_closed"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (paying(provider="paypal"), "invalid", "$.payment_data.provider"),
        ({}, "invalid", "$.payment_data"),
        (paying(cvc="123"), "invalid", "$.payment_data.cvc"),
    ],
)
async def test_a_complete_at_fault_is_refused_and_names_the_field(
    kafka: KafkaUser, body, code: str, param: str
):
    checkout_id = await ready(kafka)

    reply = await kafka.ask("CompleteCheckout", checkout_id, body)

    assert (reply["error"]["code"], reply["error"]["param"]) == (code, param)
    paid = await kafka.ask("CompleteCheckout", checkout_id, paying())
    assert paid["version"] == OPENING + 1


@pytest.mark.parametrize("command_type", ["RecordPayment", "RecordDecline"])
async def test_no_publisher_may_say_how_a_payment_ended(kafka: KafkaUser, command_type: str):
    checkout_id = await ready(kafka)
    await kafka.ask("CompleteCheckout", checkout_id, paying("spt_timeout_1"))
    [*_, started] = await kafka.events_of(checkout_id, OPENING + 1)
    claim = {"attempt_id": json.loads(started.value)["attempt_id"], "payment_id": "pay_mine"}

    reply = await kafka.ask(command_type, checkout_id, claim)

    assert reply["error"]["code"] == "invalid"
    _, completed = await end_of(kafka, checkout_id)
    assert completed["payment"]["id"] != "pay_mine"
