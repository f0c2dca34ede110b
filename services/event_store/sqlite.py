"""The event store in an SQLite file, for one machine without a database server."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

import orjson
from eventsourcing.persistence import Notification, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteCursor,
    SQLiteDatastore,
)

from services.event_store import write_guard
from services.event_store.outcomes import COLUMNS, Outcome
from services.event_store.recorder import (
    Statement,
    StoredSideRow,
    StreamRange,
    WritesRefused,
)
from services.event_store.schema_version import prepare
from services.event_store.sqlite_schema import SQLiteSchema

_INSERT_EVENTS = (
    "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
)
_INSERT_OUTCOMES = f"INSERT INTO outcomes ({COLUMNS}) VALUES (?,?,?,?,?,?)"  # noqa: S608 - ours
_OUTCOMES = (
    "SELECT key, fingerprint, checkout_id, version, refusal, recorded_at FROM outcomes "
    "WHERE key IN (SELECT value FROM json_each(?))"
)
_STREAMS = (
    "SELECT e.originator_id, e.originator_version, e.topic, e.state "
    "FROM json_each(?) w JOIN stored_events e "
    "ON e.originator_id = json_extract(w.value, '$[0]') "
    "AND e.originator_version > json_extract(w.value, '$[1]') "
    "AND e.originator_version <= json_extract(w.value, '$[2]') "
    "ORDER BY e.originator_id, e.originator_version"
)
_VERSION = "SELECT max(originator_version) FROM stored_events WHERE originator_id = ?"
_IN_STREAMS = (
    "SELECT rowid AS id, originator_id, originator_version, topic, state FROM stored_events "
    "WHERE (originator_id, originator_version) > (?, ?) "
    "ORDER BY originator_id, originator_version LIMIT ?"
)
_IN_STREAM = (
    "SELECT rowid AS id, originator_id, originator_version, topic, state FROM stored_events "
    "WHERE originator_id = ? AND originator_version > ? ORDER BY originator_version LIMIT ?"
)
_PURGE = (
    "DELETE FROM outcomes WHERE key IN (SELECT key FROM outcomes o WHERE recorded_at < ? "
    "AND (version = 0 OR EXISTS (SELECT 1 FROM stored_events e "
    "WHERE e.originator_id = o.checkout_id "
    "AND e.topic IN (SELECT value FROM json_each(?)))) LIMIT ?)"
)


class _NothingChanged(Exception):
    """Rolls a transaction back."""


class SQLiteRecorder(SQLiteApplicationRecorder):
    """The eventsourcing library's recorder, with outcomes, side rows and positions beside the events.

    Used from the library: the events table, the connection pool, `insert_events` with its transaction,
    the translation of sqlite3's errors, and its selects for notifications.

    Replaced: `_insert_events`, to write outcomes and side rows in the same transaction (unlike
    PostgreSQL's, SQLite's raises what fails in it), and the selects of events, by `select_batch`, to read
    outcomes and the streams of many checkouts in one snapshot.
    """

    commit_lock: Sequence[Statement] = ()
    adopt_server: Sequence[Statement] = ()
    position_column = "rowid"

    def __init__(self, path: Path, *, may_migrate: bool = True) -> None:
        self._path = path
        self._locks: list[TextIO] = []
        self.on_newest: Callable[[int, int], None] = lambda _epoch, _position: None
        with creation_lock(path):
            prepare(SQLiteSchema(path), may_migrate=may_migrate)
        super().__init__(
            SQLiteDatastore(
                db_name=f"file:{quote(str(path))}", originator_id_type="text", pool_size=8
            )
        )
        # The library's names no columns, and would fail once a later build has added one.
        self.insert_events_statement = _INSERT_EVENTS

    def confirm_commits(self) -> None:
        """A commit that can be seen is in the file."""

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        ids = super()._insert_events(c, stored_events)
        outcomes: Sequence[Outcome] = kwargs.get("outcomes", ())
        c.executemany(_INSERT_OUTCOMES, [o.row() for o in outcomes])
        side_rows: Sequence[StoredSideRow] = kwargs.get("side_rows", ())
        for row in side_rows:
            for statement, parameters in row.statements():
                c.execute(statement, parameters)
        # Last, because a transaction that began with a read could not wait for another writer.
        c.execute(write_guard.REASON)
        found = c.fetchone()
        if found and found["reason"] and not kwargs.get("while_stopped"):
            raise WritesRefused(found["reason"])
        return ids

    def run(self, statement: str, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a statement that both databases know, in a transaction of its own."""
        with self.datastore.transaction(commit=True) as c:
            c.execute(statement, facts)
            return [dict(row) for row in c.fetchall()]

    def run_together(self, statements: Sequence[Statement]) -> bool:
        """Run statements in one transaction; if one returns no row, write nothing and return False."""
        try:
            with self.datastore.transaction(commit=True) as c:
                for statement, facts in statements:
                    c.execute(statement, facts)
                    if not c.fetchall():
                        raise _NothingChanged
        except _NothingChanged:
            return False
        return True

    def select_batch(
        self, outcome_keys: Sequence[str], streams: Sequence[StreamRange]
    ) -> tuple[list[Outcome], list[StoredEvent]]:
        """Reads both in one snapshot of the database."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(_OUTCOMES, [orjson.dumps(outcome_keys).decode()])
            outcomes = [Outcome.of_row(*row) for row in c.fetchall()]
            c.execute(_STREAMS, [orjson.dumps([tuple(stream) for stream in streams]).decode()])
            return outcomes, [StoredEvent(*row) for row in c.fetchall()]

    def select_after(self, position: int, limit: int) -> list[Notification]:
        """By rowid, which is commit order: SQLite has one writer at a time."""
        return list(self.select_notifications(position, limit, inclusive_of_start=False))

    def select_in_streams(
        self, checkout_id: str, version: int, limit: int, *, within: bool
    ) -> list[Notification]:
        """By checkout id, in the database's collation, and version."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(_IN_STREAM if within else _IN_STREAMS, [checkout_id, version, limit])
            return [Notification(**row) for row in c.fetchall()]

    def select_version(self, checkout_id: str) -> int:
        """The last version of a checkout's stream, read from the primary key's index."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(_VERSION, [checkout_id])
            return int(c.fetchone()[0] or 0)

    def select_newest(self) -> int:
        """The position of the newest event."""
        return self.max_notification_id() or 0

    def select_position(self, name: str) -> int:
        """The position of a reader."""
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT position FROM positions WHERE name = ?", [name])
            row = c.fetchone()
            return row[0] if row else 0

    def advance_position(self, name: str, position: int) -> None:
        """Move a reader's position forward."""
        with self.datastore.transaction(commit=True) as c:
            c.execute(
                "INSERT INTO positions (name, position) VALUES (?, ?) ON CONFLICT (name) DO UPDATE "
                "SET position = excluded.position WHERE position < excluded.position",
                [name, position],
            )

    def delete_position(self, name: str) -> None:
        """Reset a reader to the beginning."""
        with self.datastore.transaction(commit=True) as c:
            c.execute("DELETE FROM positions WHERE name = ?", [name])

    def purge_outcomes(
        self, recorded_before: int, closing_topics: Sequence[str], limit: int
    ) -> int:
        """Delete old outcomes that are no longer needed."""
        with self.datastore.transaction(commit=True) as c:
            c.execute(_PURGE, [recorded_before, orjson.dumps(closing_topics).decode(), limit])
            c.execute("SELECT changes()")
            return int(c.fetchone()[0])

    def try_lock(self, name: str) -> Callable[[], bool] | None:
        """Lock a file beside the database; the system releases the lock when the process dies."""
        file = _lock_file(self._path, name).open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        self._locks.append(file)
        return lambda: not file.closed

    def close(self) -> None:
        """Close connections and release locks."""
        for file in self._locks:
            file.close()
        self.datastore.close()


@contextmanager
def creation_lock(path: Path) -> Iterator[None]:
    """Creating the same file concurrently fails as locked at once, without SQLite's busy timeout.

    Makes the file's directory if it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _lock_file(path, "creation").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock_file(path: Path, name: str) -> Path:
    return path.with_name(f"{path.name}.{name}.lock")
