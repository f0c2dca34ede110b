"""What one batch of commands writes: collected here, then appended in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.checkout import Checkout
from domain.events import RecordedEvent
from domain.lineage import Lineage
from domain.rejection import Rejection
from services.command_handling.checkout_cache import CachedCheckout
from services.command_handling.command_envelope import CommandEnvelope
from services.event_store import EventStore, Outcome, StoreUnavailable
from services.event_store.recorder import StoredSideRow
from services.runtime.metrics import APPEND_SECONDS


@dataclass
class UnitOfWork:
    """The checkouts of a batch, as its commands leave them one after the other, and what to write.

    `lineage` is the store's when they were read.
    """

    now: datetime
    lineage: Lineage
    checkouts: dict[str, Checkout | None] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    has_repeats: bool = False
    """Whether an answer was read from the store: then it must not be lost after it was given again."""
    unknown_beginnings: dict[str, str] = field(default_factory=dict)
    """By checkout, the topic of an event of a later build that its stream begins with."""
    _last: dict[str, RecordedEvent] = field(default_factory=dict)
    _events: list[RecordedEvent] = field(default_factory=list)
    _side_rows: list[StoredSideRow] = field(default_factory=list)

    def load(
        self, checkout_id: str, checkout: Checkout | None, stream: Sequence[RecordedEvent]
    ) -> None:
        """Start with a checkout as the store holds it; `stream` ends with its last event."""
        self.checkouts[checkout_id] = checkout
        if stream:
            self._last[checkout_id] = stream[-1]

    def record(
        self,
        checkout: Checkout,
        events: Sequence[RecordedEvent],
        side_rows: Sequence[StoredSideRow],
    ) -> None:
        """Add the events of a command, the checkout after them, and its side rows."""
        self.load(checkout.id, checkout, events)
        self._events += events
        self._side_rows += side_rows

    def remember_outcome(
        self, envelope: CommandEnvelope, version: int, rejection: Rejection | None = None
    ) -> None:
        """Add the outcome of a command, if it is to be remembered."""
        if envelope.remembered:
            self.outcomes[envelope.key] = Outcome(
                key=envelope.key,
                fingerprint=envelope.fingerprint,
                checkout_id=envelope.checkout_id,
                version=version,
                rejection=rejection,
                recorded_at=int(self.now.timestamp()),
            )

    def commit(self, store: EventStore) -> None:
        """Write events, outcomes and side rows in one transaction.

        Raises `Conflict`, and `StoreUnavailable` if the store has lost history since the checkouts were
        read: then it may have lost this commit too.
        """
        if self._events or self.outcomes:
            with APPEND_SECONDS.time():
                store.append(self._events, list(self.outcomes.values()), self._side_rows)
        elif self.has_repeats:
            store.confirm()
        if store.known_lineage.fresh() != self.lineage:
            raise StoreUnavailable("the store began a new epoch meanwhile")

    def cacheable(self) -> list[CachedCheckout]:
        """The checkouts after the commit, each with its last event."""
        return [
            CachedCheckout(checkout, self._last[checkout_id])
            for checkout_id, checkout in self.checkouts.items()
            if checkout
        ]
