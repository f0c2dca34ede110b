"""The examples in the documents: one checkout's scenario, told by the domain itself and its demo book."""

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
from domain.events import Channel, Metadata, RecordedEvent, record
from domain.merchant_book import MerchantBook
from domain.merchant_file import parse_book

CHECKOUT_ID = "checkout_abc123"
PUBLISHER = "/storefront"

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


_PLOT: tuple[tuple[type[Command], type[Command] | None], ...] = (
    (CreateCheckout, None),
    (UpdateCheckout, CreateCheckout),
    (CompleteCheckout, UpdateCheckout),
    (RecordDecline, CompleteCheckout),
    (RecordPayment, CompleteCheckout),
    (CancelCheckout, UpdateCheckout),
)
"""Each chapter and the one that it follows: a scenario with several ends."""


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One command of the scenario, what it caused, and the checkout before and after it.

    `body` is empty where no door takes the command.
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
    """The chapters in their order, by the name of the command."""
    book = parse_book((files("domain") / "demo_book.toml").read_text(encoding="utf-8"))
    chapters: dict[str, ScenarioStep] = {}
    for number, (kind, follows) in enumerate(_PLOT, start=1):
        before = chapters[follows.NAME].after if follows else None
        chapters[kind.NAME] = _chapter(number, kind, before, book)
    return chapters


def _chapter(
    number: int, kind: type[Command], before: Checkout | None, book: MerchantBook
) -> ScenarioStep:
    command = kind.parse(BODIES.get(kind.NAME) or _payment_outcome(kind, before))
    at = before.updated_at + timedelta(minutes=15) if before else _BEGIN
    metadata = Metadata(
        channel=Channel.KAFKA,
        actor=PUBLISHER,
        command_source=PUBLISHER,
        command_id=f"command-{number}",
        correlation_id="visit-1",
    )
    decided = decide(before, command, book, command_key=metadata.command_id)
    events = record(CHECKOUT_ID, before.version if before else 0, at, decided.events, metadata)
    after = fold(events, before)
    if after is None:
        raise RuntimeError(f"{kind.NAME} opened no checkout")
    body = BODIES.get(kind.NAME, {})
    return ScenarioStep(command, metadata.command_id, body, at, before, events, after)


def _payment_outcome(kind: type[Command], before: Checkout | None) -> dict[str, Any]:
    """What the provider says of the attempt that is running."""
    attempt = before.attempt if before else None
    if attempt is None:
        raise RuntimeError(f"{kind.NAME} settles nothing")
    if kind is RecordPayment:
        return {"attempt_id": attempt.attempt_id, "payment_id": "pay_456"}
    declined = {"code": "card_declined", "message": "The card was declined."}
    return {"attempt_id": attempt.attempt_id, **declined}
