"""What the store asks of a database beyond the eventsourcing library's recorders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from eventsourcing.persistence import Notification, StoredEvent

from services.event_store.outcomes import Outcome

LATEST = 2**62
"""An upper bound that no version reaches."""


class StreamRange(NamedTuple):
    """The part of a checkout's stream with versions above `after`, up to `until`."""

    checkout_id: str
    after: int = 0
    until: int = LATEST


class CheckoutRecorder(Protocol):
    """Rows in and out. Raises the eventsourcing library's persistence errors."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Insert events, and with them `outcomes=`, `attempts=` and `closures=`, in one
        transaction.
        """

    def attempt_rows(self, statement: str, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a statement about payment attempts, with `:name` for its parameters."""

    def select_batch(
        self, outcome_keys: Sequence[str], streams: Sequence[StreamRange]
    ) -> tuple[list[Outcome], list[StoredEvent]]:
        """The outcomes of these keys and the events of these ranges, by checkout and version."""

    def select_after(self, position: int, limit: int) -> list[Notification]:
        """Events in the order they were committed, after a position."""

    def select_in_streams(
        self, checkout_id: str, version: int, limit: int, *, within: bool
    ) -> list[Notification]:
        """Events by checkout and version, after one of them; of that checkout alone if `within`."""

    def select_newest(self) -> int:
        """The position of the newest event; 0 when there is none."""

    def select_position(self, name: str) -> int:
        """How far a reader has come; 0 at the beginning."""

    def advance_position(self, name: str, position: int) -> None:
        """Move a reader's position; never back."""

    def delete_position(self, name: str) -> None:
        """Send a reader back to the beginning."""

    def purge_outcomes(
        self, recorded_before: int, closing_topics: Sequence[str], limit: int
    ) -> int:
        """Delete old outcomes that changed nothing, and old ones of closed checkouts; return how many."""

    def try_lock(self, name: str) -> Callable[[], bool] | None:
        """Become the one holder of a name. Returns a check that the lock is still held, or None."""

    def close(self) -> None:
        """Let go of connections and locks."""
