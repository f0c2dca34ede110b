"""What the tests of the domain start from: addresses, checkouts, and a short way to speak."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.checkout import Checkout, fold
from domain.commands import CancelCheckout, Command, CreateCheckout, UpdateCheckout
from domain.decide import decide
from domain.events import Channel, Event, Metadata, RecordedEvent, record
from domain.merchant_book import MerchantBook
from domain.rejection import Rejection
from tests.domain.books import BOOK

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
METADATA = Metadata(
    channel=Channel.HTTP,
    actor="shop",
    command_source="/api",
    command_id="c-1",
    correlation_id="r-1",
)

ADA = {"first_name": "Ada", "last_name": "King", "email": "ada@example.org"}
BOB = {**ADA, "first_name": "Bob", "phone_number": "+15550100"}


def address(country: str, state: str, **more: str) -> dict[str, str]:
    """A whole address in a region of a country."""
    rest = {"name": "Ada King", "line_one": "1 Main St", "city": "Town", "postal_code": "12345"}
    return {**rest, "country": country, "state": state, **more}


CALIFORNIA = address("US", "CA")
NEW_YORK = address("US", "NY")
BERLIN = address("DE", "BE")
PARIS = address("FR", "IDF")
"""Nothing is shipped there and no tax rule holds."""


def item(item_id: str, quantity: Any = 1) -> dict[str, Any]:
    return {"id": item_id, "quantity": quantity}


MUG = [item("mug")]


def ask(
    checkout: Checkout | None,
    command: Command,
    book: MerchantBook = BOOK,
    expected_version: int | None = None,
    at: datetime = NOW,
    lineage: str = "lineage1",
) -> tuple[RecordedEvent, ...]:
    """What a command adds to a checkout's stream."""
    events = decide(checkout, command, book, expected_version, lineage).events
    return record("c1", checkout.version if checkout else 0, at, events, METADATA)


def after(checkout: Checkout | None, stream: tuple[RecordedEvent, ...]) -> Checkout:
    """The checkout after some more of its stream."""
    folded = fold(stream, checkout)
    assert folded is not None
    return folded


def created(book: MerchantBook = BOOK, items: Any = MUG, **fields: Any) -> Checkout:
    return after(None, ask(None, CreateCheckout.parse({"items": items, **fields}), book))


def ready(**fields: Any) -> Checkout:
    """A checkout that lacks nothing: a mug to California, unless said otherwise."""
    return created(**{"fulfillment_address": CALIFORNIA, **fields})


def updated(checkout: Checkout, book: MerchantBook = BOOK, **fields: Any) -> Checkout:
    return after(checkout, ask(checkout, UpdateCheckout.parse(fields), book))


def update(checkout: Checkout, book: MerchantBook = BOOK, **fields: Any) -> tuple[Event, ...]:
    """The events of an update."""
    return decide(checkout, UpdateCheckout.parse(fields), book).events


def canceled(checkout: Checkout, **fields: Any) -> Checkout:
    return after(checkout, ask(checkout, CancelCheckout.parse(fields)))


def names(events: tuple[Event, ...]) -> list[str]:
    return [event.NAME for event in events]


def amounts(checkout: Checkout) -> dict[str, int]:
    """The rows of the totals by type, in their order."""
    return {row.type: row.amount for row in checkout.totals}


def missing(checkout: Checkout) -> list[str | None]:
    """The fields that an error message asks for."""
    return [message.param for message in checkout.messages if message.type == "error"]


def rejection_of(checkout: Checkout | None, command: Command, **more: Any) -> Rejection:
    """Why a well-formed command is refused."""
    with pytest.raises(Rejection) as caught:
        ask(checkout, command, **more)
    return caught.value


def rejection_to_parse(command: type[Command], body: Any) -> Rejection:
    """Why a body is no command."""
    with pytest.raises(Rejection) as caught:
        command.parse(body)
    return caught.value
