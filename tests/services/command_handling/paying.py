"""What the tests of payments begin with: a checkout that is ready, and a complete that pays for it."""

from __future__ import annotations

from typing import Any

from domain.commands import CompleteCheckout, CreateCheckout, RecordDecline, RecordPayment
from domain.events import Metadata
from services.command_handling import CommandEnvelope
from services.event_store import Attempt, AttemptState, EventStore
from services.payment_worker.outcome_command import outcome_command
from tests.services.command_handling.given import envelope

TOKEN = "spt_a_secret_of_the_buyer"
AMOUNT = 1250
"""What a checkout with one `item_123` comes to: 1000, shipped for 150, taxed at 100."""
ADDRESS = {
    "name": "John Doe",
    "line_one": "123 Main St",
    "city": "San Francisco",
    "state": "CA",
    "country": "US",
    "postal_code": "94105",
}


def ready(checkout_id: str = "a") -> CommandEnvelope:
    """Opens a checkout that lacks nothing, with 4 events."""
    body = {"items": [{"id": "item_123", "quantity": 1}], "fulfillment_address": ADDRESS}
    return envelope(CreateCheckout.parse(body), checkout_id)


def complete(checkout_id: str = "a", token: str = TOKEN, **more: Any) -> CommandEnvelope:
    """Pays for a checkout."""
    data = {"token": token, "provider": "stripe"}
    return envelope(CompleteCheckout.parse({"payment_data": data}), checkout_id, **more)


def attempts_of(store: EventStore) -> list[Attempt]:
    """All that were ever made."""
    return store.attempts.page(list(AttemptState))


def attempt_of(store: EventStore) -> Attempt:
    """The only one that was ever made."""
    [attempt] = attempts_of(store)
    return attempt


def taken(attempt: Attempt, payment_id: str = "pay_1") -> CommandEnvelope:
    """The provider's yes."""
    ask = RecordPayment(attempt_id=attempt.attempt_id, payment_id=payment_id)
    return outcome_command(attempt, Metadata.model_validate_json(attempt.metadata), ask)


def turned_down(attempt: Attempt, message: str = "The card was declined.") -> CommandEnvelope:
    """The provider's no."""
    ask = RecordDecline(attempt_id=attempt.attempt_id, code="card_declined", message=message)
    return outcome_command(attempt, Metadata.model_validate_json(attempt.metadata), ask)
