"""Events and outcomes to store: what they say doesn't matter, only that it comes back."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.events import (
    BuyerUpdated,
    Channel,
    CheckoutCanceled,
    CheckoutCreated,
    Event,
    Metadata,
    RecordedEvent,
)
from domain.rejection import Rejection
from domain.values import Buyer, Link, PaymentProvider
from services.event_store import Outcome

AT = datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC)
DAY = 24 * 3600
NOW = int(AT.timestamp())
BY_KAFKA = Metadata(
    channel=Channel.KAFKA,
    actor="/shop",
    command_source="/shop",
    command_id="cmd-1",
    correlation_id="corr-1",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)
CREATED = CheckoutCreated(
    currency="usd",
    payment_provider=PaymentProvider(provider="stripe", supported_payment_methods=("card",)),
    links=(Link(type="terms_of_use", url="https://shop.example/terms"),),
)
CANCELED = CheckoutCanceled(reason="changed_mind", message="no longer needed")


def buyer(name: str) -> BuyerUpdated:
    """An event that can follow any other one of an open checkout."""
    return BuyerUpdated(buyer=Buyer(first_name=name, last_name="Doe", email="j@shop.example"))


def event(checkout_id: str, version: int, fact: Event | None = None) -> RecordedEvent:
    """The event of that version; the first one creates the checkout."""
    if fact is None:
        fact = CREATED if version == 1 else buyer(f"buyer {version}")
    return RecordedEvent(checkout_id, version, AT, fact, BY_KAFKA)


def stream(checkout_id: str, first: int, last: int) -> list[RecordedEvent]:
    """The events of a checkout from one version to another."""
    return [event(checkout_id, version) for version in range(first, last + 1)]


def outcome(
    key: str,
    checkout_id: str,
    version: int = 1,
    rejection: Rejection | None = None,
    recorded_at: int = NOW,
) -> Outcome:
    """The outcome of the command with that key."""
    return Outcome(key, f"fingerprint of {key}", checkout_id, version, rejection, recorded_at)
