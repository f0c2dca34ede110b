"""What the auditor's tests begin with: checkouts whose story went through the rules into a store."""

from __future__ import annotations

import itertools
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg

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
from domain.events import Channel, Metadata, record
from domain.merchant_file import parse_book
from services.event_store import EventStore

BOOK = parse_book((Path(__file__).parents[3] / "domain" / "demo_book.toml").read_text())
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
LOS_ANGELES = {
    "name": "Jane Doe",
    "line_one": "1234 Chat Road",
    "city": "Los Angeles",
    "state": "CA",
    "country": "US",
    "postal_code": "90131",
}
CARD = {"token": "spt_123", "provider": "stripe"}


class Shop:
    """Does to checkouts what commands ask, a minute after each other, and stores the events."""

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self._numbers = itertools.count(1)

    def ask(self, command: Command, checkout_id: str = "a", channel: str = "http") -> None:
        """Decide on a command, which is `command-N`, the Nth, at N minutes past noon."""
        number = next(self._numbers)
        metadata = Metadata(
            channel=channel,
            actor="shop",
            command_source="/api",
            command_id=f"command-{number}",
            correlation_id=f"request-{number}",
        )
        checkout = self.store.current([checkout_id]).get(checkout_id)
        events = decide(checkout, command, BOOK, lineage="lineage1").events
        at = NOON + timedelta(minutes=number)
        version = checkout.version if checkout else 0
        self.store.append(record(checkout_id, version, at, events, metadata))

    def create(self, checkout_id: str = "a", **quantities: int) -> None:
        """Put items into a new cart."""
        wanted = quantities or {"item_123": 2}
        self.ask(CreateCheckout.parse({"items": items(**wanted)}), checkout_id)

    def update(self, checkout_id: str = "a", **body: Any) -> None:
        """Change what the body says."""
        self.ask(UpdateCheckout.parse(body), checkout_id)

    def cancel(self, checkout_id: str = "a", **body: str) -> None:
        """Close it."""
        self.ask(CancelCheckout.parse(body), checkout_id)

    def pay(self, checkout_id: str = "a") -> str:
        """Start a payment; the attempt's id."""
        self.ask(CompleteCheckout.parse({"payment_data": CARD}), checkout_id)
        attempt = self.store.current([checkout_id])[checkout_id].attempt
        assert attempt
        return attempt.attempt_id

    def decline(self, attempt_id: str, checkout_id: str = "a") -> None:
        """The provider refuses."""
        declined = RecordDecline(attempt_id=attempt_id, code="card_declined", message="No funds")
        self.ask(declined, checkout_id, channel=Channel.INTERNAL)

    def settle(self, attempt_id: str, checkout_id: str = "a") -> None:
        """The provider has taken the money."""
        paid = RecordPayment(attempt_id=attempt_id, payment_id="pi_1")
        self.ask(paid, checkout_id, channel=Channel.INTERNAL)


def items(**quantities: int) -> list[dict[str, Any]]:
    """Items and how many of each."""
    return [{"id": item_id, "quantity": quantity} for item_id, quantity in quantities.items()]


def whole_life(shop: Shop, checkout_id: str = "a") -> None:
    """All that can happen to a checkout on its way to an order: 13 events."""
    shop.create(checkout_id)
    shop.update(checkout_id, items=items(item_123=3, item_456=1))
    shop.update(checkout_id, buyer=JANE)
    shop.update(checkout_id, fulfillment_address=LOS_ANGELES)
    shop.update(checkout_id, fulfillment_option_id="shipping_fast")
    shop.decline(shop.pay(checkout_id), checkout_id)
    shop.settle(shop.pay(checkout_id), checkout_id)


def sql(database: str, statement: str, *values: object) -> None:
    """Do to a database what only other hands than ours do. Values stand for `%s`."""
    if database.startswith("postgresql:"):
        with psycopg.connect(database) as connection:
            connection.execute(statement, values)
        return
    connection = sqlite3.connect(database.removeprefix("sqlite:///"))
    with connection:
        connection.execute(statement.replace("%s", "?"), values)
    connection.close()


def change(
    store: EventStore, database: str, checkout_id: str, version: int, *path: Any, to: Any
) -> None:
    """Change one value inside a stored event's data."""
    [row] = store.stream_rows(checkout_id, version - 1, 1, within=True)
    state = orjson.loads(row._stored.state)
    *outer, last = path
    place = state["data"]
    for name in outer:
        place = place[name]
    place[last] = to
    sql(
        database,
        "UPDATE stored_events SET state = %s WHERE originator_id = %s AND originator_version = %s",
        orjson.dumps(state),
        checkout_id,
        version,
    )


def remove(database: str, checkout_id: str, version: int) -> None:
    """Delete one event."""
    sql(
        database,
        "DELETE FROM stored_events WHERE originator_id = %s AND originator_version = %s",
        checkout_id,
        version,
    )
