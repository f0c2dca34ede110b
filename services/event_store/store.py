"""The store's interface to the services: recorded events and outcomes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import eventsourcing.persistence as es
import psycopg

from domain.checkout import BrokenStream, Checkout, UnknownBeginning, fold
from domain.events import CheckoutCanceled, CheckoutCompleted, RecordedEvent
from services.event_store import lineage
from services.event_store.errors import StoreUnavailable, translated
from services.event_store.event_mapper import PydanticMapper, UnreadableEvent
from services.event_store.known_lineage import KnownLineage
from services.event_store.lineage import Lineage
from services.event_store.outcomes import KEPT_FOR_SECONDS, Outcome
from services.event_store.payment_attempts import PaymentAttempts
from services.event_store.postgres import PostgresRecorder
from services.event_store.publication import PublicationLog
from services.event_store.recorder import (
    CheckoutRecorder,
    Statement,
    StoredSideRow,
    StreamRange,
)
from services.event_store.server_watch import LOOK_SECONDS, ServerWatch
from services.event_store.set_aside import SetAsideStreams
from services.event_store.stored_row import PositionedEvent, StoredRow
from services.event_store.views_trust import ViewsTrust
from services.event_store.write_guard import WriteGuard
from services.runtime.tracing import span

logger = logging.getLogger(__name__)

_CLOSING_TOPICS = (CheckoutCanceled.topic(), CheckoutCompleted.topic())


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The result of one read: outcomes by key, and events by checkout, oldest first."""

    outcomes: Mapping[str, Outcome]
    streams: Mapping[str, Sequence[RecordedEvent]]


class EventStore:
    """Streams of events with a version check on append, and the outcomes of commands beside them.

    Synchronous; call it from a thread. Each call raises `StoreUnavailable` if the database fails.
    """

    def __init__(self, recorder: CheckoutRecorder) -> None:
        self._recorder = recorder
        self._mapper = PydanticMapper()
        self._events = es.EventStore[str](self._mapper, recorder)  # type: ignore[arg-type]
        lineage.establish(self._run)
        self.known_lineage = KnownLineage(self.lineage)
        self.views_trust = ViewsTrust(self._run)
        self._listeners: list[Callable[[], None]] = []
        is_shared = isinstance(recorder, PostgresRecorder)
        self.attempts = PaymentAttempts(self._run, "FOR UPDATE SKIP LOCKED" if is_shared else "")
        self.publication = PublicationLog(self._run, self._run_together, recorder.position_column)
        self.set_aside = SetAsideStreams(self._run)
        self.write_guard = WriteGuard(
            self._run, self._run_together, recorder.commit_lock, recorder.adopt_server
        )
        self.server_watch = ServerWatch(self._run, self._run_together) if is_shared else None
        if self.server_watch:
            recorder.on_newest = self.server_watch.note

    def _run(self, statement: str, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
        with translated():
            return self._recorder.run(statement, facts)

    def _run_together(self, statements: Sequence[Statement]) -> bool:
        with translated():
            return self._recorder.run_together(statements)

    def read(self, outcome_keys: Sequence[str], streams: Sequence[StreamRange]) -> ReadResult:
        """Outcomes and parts of streams in one round trip."""
        with translated():
            outcomes, stored = self._recorder.select_batch(outcome_keys, streams)
        found: dict[str, list[RecordedEvent]] = {}
        for row in stored:
            found.setdefault(str(row.originator_id), []).append(self._mapper.to_domain_event(row))
        return ReadResult({outcome.key: outcome for outcome in outcomes}, found)

    def load(self, streams: Sequence[StreamRange]) -> dict[str, Checkout]:
        """The checkouts that these streams, read from version 1, fold to; without those that don't exist,
        and those that begin with an event of a later build.
        """
        found = self.read((), streams) if streams else ReadResult({}, {})
        folded: dict[str, Checkout] = {}
        for checkout_id, events in found.streams.items():
            # One of which nothing is known must not stop the readers of all others.
            with suppress(UnknownBeginning):
                if checkout := fold(events):
                    folded[checkout_id] = checkout
        return folded

    def current(self, checkout_ids: Sequence[str]) -> dict[str, Checkout]:
        """These checkouts as they are now, without those that don't exist, or whose stream is damaged:
        an error is logged for each of these, so that they stop no other.
        """
        streams = [StreamRange(checkout_id) for checkout_id in checkout_ids]
        try:
            return self.load(streams)
        except (UnreadableEvent, BrokenStream) as error:
            if len(streams) == 1:
                logger.error("a stream can't be read, and is left out: %s", error)
                return {}
        half = len(checkout_ids) // 2
        return self.current(checkout_ids[:half]) | self.current(checkout_ids[half:])

    def lineage(self) -> Lineage:
        """The identity of this store's history, as it is in the database now."""
        return lineage.read(self._run)

    def begin_epoch(self) -> Lineage:
        """Declare that history was lost: what was derived from the epoch before can't be trusted.

        Every process learns of it within `known_lineage.FRESH_SECONDS`: no write may be taken before.
        """
        return lineage.begin_epoch(self._run)

    def append_imported(
        self,
        events: Sequence[es.StoredEvent],
        outcomes: Sequence[Outcome],
        side_rows: Sequence[StoredSideRow],
    ) -> None:
        """As `append`, for events that this store had lost, and also while writes are stopped."""
        with translated():
            self._recorder.insert_events(
                events, outcomes=outcomes, side_rows=side_rows, while_stopped=True
            )

    def version(self, checkout_id: str) -> int:
        """The version of a checkout, even if its events can't be read; 0 if it does not exist."""
        with translated():
            return self._recorder.select_version(checkout_id)

    def sweep(self, position: int, limit: int) -> tuple[int, list[Checkout]]:
        """The checkouts created among the next `limit` events after a position, as they are now.

        A sweep from position 0 finds each checkout once. Returns the position to continue from, which is
        the given one at the end.
        """
        with translated():
            rows = self._recorder.select_after(position, limit)
        begun = [str(row.originator_id) for row in rows if row.originator_version == 1]
        return (rows[-1].id if rows else position), list(self.current(begun).values())

    def append(
        self,
        events: Sequence[RecordedEvent],
        outcomes: Sequence[Outcome] = (),
        side_rows: Sequence[StoredSideRow] = (),
    ) -> None:
        """Write all of it in one transaction, or nothing. Raises `Conflict`."""
        counts = {"checkout__events": len(events), "checkout__outcomes": len(outcomes)}
        with translated(), span("append", "CLIENT", **counts):
            self._events.put(events, outcomes=outcomes, side_rows=side_rows)
        if events:
            for listener in tuple(self._listeners):
                listener()

    def confirm(self) -> None:
        """Return when what was read from the store can't be lost in a failover to a synchronous standby."""
        with translated():
            self._recorder.confirm_commits()

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener`, on the writer's thread, after each commit of events by this process."""
        self._listeners.append(listener)

    def tail(self, position: int, limit: int) -> list[PositionedEvent]:
        """The next events after a position, in commit order and without gaps."""
        with translated():
            rows = self._recorder.select_after(position, limit)
        return [PositionedEvent(row.id, self._mapper.to_domain_event(row)) for row in rows]

    def rows(self, position: int, limit: int) -> list[StoredRow]:
        """The same events as `tail`, not decoded yet."""
        with translated():
            return [StoredRow.of(stored) for stored in self._recorder.select_after(position, limit)]

    def stream_rows(
        self, checkout_id: str, version: int, limit: int, *, within: bool = False
    ) -> list[StoredRow]:
        """The next events after the given one, by checkout id (in the database's collation) and version.

        Not decoded yet. All streams from `("", 0)` on, or `within` one stream only.
        """
        with translated():
            found = self._recorder.select_in_streams(checkout_id, version, limit, within=within)
        return [StoredRow.of(stored) for stored in found]

    def newest(self) -> int:
        """The position of the newest event; 0 when there is none."""
        with translated():
            return self._recorder.select_newest()

    def position(self, name: str) -> int:
        """The position of the reader of that name; 0 at the beginning."""
        with translated():
            return self._recorder.select_position(name)

    def advance(self, name: str, position: int) -> None:
        """Move a reader's position forward; a lower one changes nothing."""
        with translated():
            self._recorder.advance_position(name, position)

    def rewind(self, name: str) -> None:
        """Reset a reader to the beginning."""
        with translated():
            self._recorder.delete_position(name)

    def purge_outcomes(self, now: float, limit: int = 10_000) -> int:
        """Delete expired outcomes: rejections, and those of closed checkouts. Returns how many."""
        with translated():
            before = int(now) - KEPT_FOR_SECONDS
            return self._recorder.purge_outcomes(before, _CLOSING_TOPICS, limit)

    def try_lock(self, name: str) -> Callable[[], bool] | None:
        """Take the exclusive lock of a name. Returns a check that it is still held; None if taken."""
        with translated():
            return self._recorder.try_lock(name)

    def watch(self, on_commit: Callable[[], None]) -> Callable[[], None]:
        """Call `on_commit` soon after each commit; on SQLite only after those of this process.

        Returns a function that ends the watch.
        """
        ended = threading.Event()

        def wake() -> None:
            if not ended.is_set():
                on_commit()

        def end() -> None:
            ended.set()
            if wake in self._listeners:
                self._listeners.remove(wake)

        self.on_commit(wake)
        if isinstance(self._recorder, PostgresRecorder):
            arguments = (self._recorder, wake, ended)
            threading.Thread(target=_listen, args=arguments, name="listen", daemon=True).start()
        return end

    def watch_server(self) -> Callable[[], None]:
        """Look again and again whether PostgreSQL failed over. Returns a function that ends it."""
        ended = threading.Event()
        if self.server_watch:
            arguments = (self.server_watch, ended)
            threading.Thread(target=_look, args=arguments, name="server", daemon=True).start()
        return ended.set

    def close(self) -> None:
        """Close connections and release locks."""
        self._recorder.close()


def _listen(
    recorder: PostgresRecorder, on_commit: Callable[[], None], ended: threading.Event
) -> None:
    while not ended.is_set():
        try:
            recorder.listen(on_commit, lambda: not ended.is_set())
        except psycopg.Error as error:
            logger.warning("no commit notifications until PostgreSQL is back: %s", error)
            ended.wait(1.0)


def _look(watch: ServerWatch, ended: threading.Event) -> None:
    while not ended.is_set():
        # The store's readiness check reports a store that is down.
        with suppress(StoreUnavailable):
            watch.look()
        ended.wait(LOOK_SECONDS)
