"""The examples in the documents: one checkout's story, told by the domain itself and its demo book."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from domain.checkout import Checkout, fold
from domain.commands import COMMANDS, Command
from domain.decisions import decide
from domain.events import Metadata, RecordedEvent, record
from domain.merchant import parse_book

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
    "CancelCheckout": {
        "reason": "customer_requested",
        "message": "Customer changed their mind",
    },
}


@dataclass(frozen=True, slots=True)
class Chapter:
    """One command of the story, what it caused, and the checkout before and after it."""

    command: Command
    command_id: str
    body: dict[str, Any]
    at: datetime
    before: Checkout | None
    events: tuple[RecordedEvent, ...]
    after: Checkout


@cache
def story() -> dict[str, Chapter]:
    """The chapters in their order, by the name of the command."""
    book = parse_book((files("domain") / "demo_book.toml").read_text(encoding="utf-8"))
    chapters: dict[str, Chapter] = {}
    checkout: Checkout | None = None
    for number, (name, body) in enumerate(BODIES.items(), start=1):
        command, at = COMMANDS[name].parse(body), _BEGIN + timedelta(minutes=15 * (number - 1))
        metadata = Metadata(
            door="kafka",
            actor=PUBLISHER,
            command_source=PUBLISHER,
            command_id=f"command-{number}",
            correlation_id="visit-1",
        )
        version = checkout.version if checkout else 0
        events = record(CHECKOUT_ID, version, at, decide(checkout, command, book), metadata)
        after = fold(events, checkout)
        if after is None:
            raise RuntimeError(f"{name} opened no checkout")
        chapters[name] = Chapter(command, metadata.command_id, body, at, checkout, events, after)
        checkout = after
    return chapters
