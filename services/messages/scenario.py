"""The examples of all documents: the scenario of one checkout, run by the domain with its demo book."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from domain.checkout import Checkout, fold
from domain.commands import (
    CancelCheckout,
    Command,
    CompleteCheckout,
    CreateCheckout,
    RecordDecline,
    RecordPayment,
    UpdateCheckout,
)
from domain.decide import decide
from domain.events import (
    Channel,
    CheckoutPriced,
    Metadata,
    PaymentStarted,
    PublishedEvent,
    RecordedEvent,
    record,
)
from domain.merchant_book import MerchantBook
from domain.merchant_file import parse_book
from domain.rejection import Rejection

CHECKOUT_ID = "checkout_abc123"
PUBLISHER = "/storefront"
_LINEAGE = "5f0c2c1a9d3e4b7f8a6d1e2b3c4f5a69"

_BEGIN = datetime(2024, 9, 30, 14, 0, tzinfo=UTC)
BODIES: dict[str, dict[str, Any]] = {
    "CreateCheckout": {
        "items": [{"id": "item_123", "quantity": 2}],
        "buyer": {
            "first_name": "John",
            "last_name": "Doe",
            "email": "john.doe@example.com",
            "phone_number": "+1234567890",
        },
        "fulfillment_address": {
            "name": "John Doe",
            "line_one": "123 Main St",
            "line_two": "Apt 4B",
            "city": "San Francisco",
            "state": "CA",
            "country": "US",
            "postal_code": "94105",
        },
    },
    "UpdateCheckout": {
        "items": [{"id": "item_123", "quantity": 3}, {"id": "item_456", "quantity": 1}],
        "fulfillment_address": {
            "name": "John Doe",
            "line_one": "456 Oak Ave",
            "city": "Los Angeles",
            "state": "CA",
            "country": "US",
            "postal_code": "90210",
        },
        "fulfillment_option_id": "shipping_fast",
    },
    "CompleteCheckout": {
        "payment_data": {
            "token": "spt_123",
            "provider": "stripe",
            "billing_address": {
                "name": "John Doe",
                "line_one": "123 Main St",
                "line_two": "Apt 4B",
                "city": "San Francisco",
                "state": "CA",
                "country": "US",
                "postal_code": "94105",
            },
        }
    },
    "CancelCheckout": {
        "reason": "customer_requested",
        "message": "Customer changed their mind",
    },
}

_STEPS: tuple[tuple[type[Command], type[Command] | None], ...] = (
    (CreateCheckout, None),
    (UpdateCheckout, CreateCheckout),
    (CompleteCheckout, UpdateCheckout),
    (RecordDecline, CompleteCheckout),
    (RecordPayment, CompleteCheckout),
    (CancelCheckout, UpdateCheckout),
)
"""Each step and the one that it follows: a scenario with several ends."""


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One command of the scenario, its events, and the checkout before and after it.

    `body` is empty where no client can send the command.
    """

    command: Command
    command_id: str
    body: dict[str, Any]
    at: datetime
    before: Checkout | None
    events: tuple[RecordedEvent, ...]
    after: Checkout


@cache
def scenario() -> dict[str, ScenarioStep]:
    """The steps in their order, by the name of the command."""
    steps: dict[str, ScenarioStep] = {}
    for number, (kind, follows) in enumerate(_STEPS, start=1):
        before = steps[follows.NAME].after if follows else None
        body = BODIES.get(kind.NAME, {})
        command = kind.parse(body or _payment_outcome(kind, before))
        steps[kind.NAME] = _step(number, command, body, before)
    return steps


def older_versions() -> tuple[PublishedEvent, ...]:
    """Events in versions that are not recorded any more, but remain in streams and on Kafka."""
    priced = scenario()[UpdateCheckout.NAME].events[-1].event
    if not isinstance(priced, CheckoutPriced):
        raise TypeError("the scenario's update does not end with its prices")
    return (
        CheckoutPriced.model_validate(priced.model_dump(include=set(CheckoutPriced.model_fields))),
        PaymentStarted(
            attempt_id="attempt_0b5a3a7a1d0f4c4e9c1f6d2e8b7a5c3d",
            amount=4000,
            currency="usd",
            provider="stripe",
        ),
    )


def provoked_rejection(
    kind: type[Command], *, after: type[Command] | None, expected_version: int | None = None
) -> Rejection:
    """The rejection of a scenario command after a step. `after=None` is a new checkout without an address."""
    if after is None:
        cart = CreateCheckout.parse({"items": BODIES["CreateCheckout"]["items"]})
        checkout = _step(0, cart, {}, None).after
    else:
        checkout = scenario()[after.NAME].after
    try:
        decide(checkout, kind.parse(BODIES[kind.NAME]), _book(), expected_version, _LINEAGE)
    except Rejection as rejection:
        return rejection
    raise RuntimeError(f"{kind.NAME} is accepted")


@cache
def _book() -> MerchantBook:
    return parse_book((files("domain") / "demo_book.toml").read_text(encoding="utf-8"))


def _step(
    number: int, command: Command, body: dict[str, Any], before: Checkout | None
) -> ScenarioStep:
    at = before.updated_at + timedelta(minutes=15) if before else _BEGIN
    metadata = Metadata(
        channel=Channel.KAFKA,
        actor=PUBLISHER,
        command_source=PUBLISHER,
        command_id=f"command-{number}",
        correlation_id="visit-1",
    )
    decision = decide(before, command, _book(), lineage=_LINEAGE)
    version = before.version if before else 0
    events = record(CHECKOUT_ID, version, at, decision.events, metadata)
    after = fold(events, before)
    if after is None:
        raise RuntimeError(f"{command.NAME} created no checkout")
    return ScenarioStep(command, metadata.command_id, body, at, before, events, after)


def _payment_outcome(kind: type[Command], before: Checkout | None) -> dict[str, Any]:
    """The body of the command that ends the running payment attempt."""
    attempt = before.attempt if before else None
    if attempt is None:
        raise RuntimeError(f"{kind.NAME} ends no payment")
    if kind is RecordPayment:
        return {"attempt_id": attempt.attempt_id, "payment_id": "pay_456"}
    declined = {"code": "card_declined", "message": "The card was declined."}
    return {"attempt_id": attempt.attempt_id, **declined}
