"""The interface of a database, beyond that of the eventsourcing library's recorders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from eventsourcing.persistence import Notification, StoredEvent

from services.event_store.outcomes import Outcome

Statement = tuple[str, Mapping[str, Any]]
"""SQL that both databases run, with `:name` for its parameters, and their values."""

SERVER_CHANGED = "another PostgreSQL server or timeline has taken over"

LATEST = 2**62
"""An upper bound above every version."""


class StreamRange(NamedTuple):
    """The part of a checkout's stream with versions above `after`, up to `until`."""

    checkout_id: str
    after: int = 0
    until: int = LATEST


class WritesRefused(Exception):
    """Writes are stopped (`write_guard`); the message says why. The transaction was rolled back."""


class StoredSideRow(Protocol):
    """A row beside the events, written in their transaction."""

    def statements(self) -> Sequence[Statement]:
        """The statements that write the row, in order."""


class CheckoutRecorder(Protocol):
    """Writes and reads rows. Raises the eventsourcing library's persistence errors."""

    commit_lock: Sequence[Statement]
    """What waits, in a transaction, until running writes have committed."""
    position_column: str
    """The column of `stored_events` that numbers events in commit order."""

    adopt_server: Sequence[Statement]
    """What records the current server as the one that the store is written on."""

    on_newest: Callable[[int, int], None]
    """Called after each commit of events with the epoch and the newest position."""

    def confirm_commits(self) -> None:
        """Return when every commit that a reader has seen is as safe as one that was acknowledged."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Insert events, `outcomes=` and `side_rows=` in one transaction.

        Raises `WritesRefused` while writes are stopped, or on another server than the recorded one, unless
        `while_stopped=True`.
        """

    def run(self, statement: str, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a statement that both databases know, with `:name` for its parameters, and return its rows."""

    def run_together(self, statements: Sequence[Statement]) -> bool:
        """Run statements in one transaction; if one returns no row, write nothing and return False."""

    def select_batch(
        self, outcome_keys: Sequence[str], streams: Sequence[StreamRange]
    ) -> tuple[list[Outcome], list[StoredEvent]]:
        """The outcomes of these keys and the events of these ranges, by checkout and version."""

    def select_after(self, position: int, limit: int) -> list[Notification]:
        """The next events after a position, in commit order."""

    def select_in_streams(
        self, checkout_id: str, version: int, limit: int, *, within: bool
    ) -> list[Notification]:
        """Events by checkout and version, after the given one; only of that checkout if `within`."""

    def select_version(self, checkout_id: str) -> int:
        """The last version of a checkout's stream; 0 for an empty stream."""

    def select_newest(self) -> int:
        """The position of the newest event; 0 when there is none."""

    def select_position(self, name: str) -> int:
        """The position of a reader; 0 at the beginning."""

    def advance_position(self, name: str, position: int) -> None:
        """Move a reader's position forward, never back."""

    def delete_position(self, name: str) -> None:
        """Reset a reader to the beginning."""

    def purge_outcomes(
        self, recorded_before: int, closing_topics: Sequence[str], limit: int
    ) -> int:
        """Delete old rejections and old outcomes of closed checkouts; returns how many."""

    def try_lock(self, name: str) -> Callable[[], bool] | None:
        """Take the exclusive lock of a name. Returns a check that it is still held; None if taken."""

    def close(self) -> None:
        """Close connections and release locks."""
