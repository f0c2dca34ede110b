"""What the tests of the handler begin with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.commands import CancelCheckout, Command, CreateCheckout, UpdateCheckout
from domain.events import Channel, RecordedEvent
from domain.merchant_book import MerchantBook
from domain.merchant_file import parse_book
from domain.rejection import Rejection
from services.command_handling import Accepted, Answer, CommandEnvelope, Handler, fingerprint_of
from services.event_store import EventStore, StoreUnavailable
from services.event_store.recorder import StreamRange
from services.event_store.side_row_encoder import side_row_encoder
from services.security.token_encryption import TokenKeys, new_key_line

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
BOOK: MerchantBook = parse_book(
    (Path(__file__).parents[3] / "domain" / "demo_book.toml").read_text()
)
TOKEN_KEYS = TokenKeys.parse(new_key_line("tests"))
_numbers = itertools.count(1)


def handler_on(store: EventStore, now: Callable[[], datetime] = lambda: NOON) -> Handler:
    return Handler(store, BOOK, now, side_row_encoder(TOKEN_KEYS.encrypt))


def envelope(ask: Command | Rejection, checkout_id: str = "a", **more: Any) -> CommandEnvelope:
    """A command from Kafka with an identity of its own, unless `more` says otherwise."""
    body = {} if isinstance(ask, Rejection) else ask.model_dump(mode="json", exclude_unset=True)
    facts = {
        "channel": Channel.KAFKA,
        "source": "/tests",
        "command_id": f"command-{next(_numbers)}",
        "checkout_id": checkout_id,
        "command": ask,
        "fingerprint": fingerprint_of(type(ask).__name__, checkout_id, body),
        "actor": "tests",
        "correlation_id": "story",
    }
    return CommandEnvelope(**(facts | more))


def create(
    checkout_id: str = "a", quantity: int = 1, item_id: str = "item_123", **more: Any
) -> CommandEnvelope:
    items = [{"id": item_id, "quantity": quantity}]
    return envelope(CreateCheckout.parse({"items": items}), checkout_id, **more)


def update(checkout_id: str = "a", quantity: int = 2, **more: Any) -> CommandEnvelope:
    items = [{"id": "item_123", "quantity": quantity}]
    return envelope(UpdateCheckout.parse({"items": items}), checkout_id, **more)


def cancel(checkout_id: str = "a", **more: Any) -> CommandEnvelope:
    return envelope(CancelCheckout(), checkout_id, **more)


def stream(store: EventStore, checkout_id: str = "a") -> Sequence[RecordedEvent]:
    return store.read((), [StreamRange(checkout_id)]).streams.get(checkout_id, ())


def versions(store: EventStore, checkout_id: str = "a") -> list[int]:
    return [recorded.version for recorded in stream(store, checkout_id)]


def accepted(answer: Answer) -> Accepted:
    assert isinstance(answer, Accepted), answer
    return answer


class FailingStore:
    """A store whose connection is lost, before or after a commit, as often as it is told to."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self.fail_before_commit = 0
        self.fail_after_commit = 0

    def append(self, *written: Any) -> None:
        if self.fail_before_commit:
            self.fail_before_commit -= 1
            raise StoreUnavailable("lost before the commit")
        self._store.append(*written)
        if self.fail_after_commit:
            self.fail_after_commit -= 1
            raise StoreUnavailable("lost in the commit")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
