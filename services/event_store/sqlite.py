"""The event store in an SQLite file: one machine, nothing to install."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Mapping, Sequence
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

from services.event_store import payment_attempt_sql as statements
from services.event_store.outcomes import Outcome
from services.event_store.payment_attempts import closure_parameters, insert_parameters
from services.event_store.recorder import StreamRange

_OUTCOMES_TABLE = """
CREATE TABLE IF NOT EXISTS outcomes (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, checkout_id TEXT NOT NULL,
    version INTEGER NOT NULL, refusal TEXT, recorded_at INTEGER NOT NULL
) WITHOUT ROWID
"""
_OUTCOMES_INDEX = "CREATE INDEX IF NOT EXISTS outcomes_by_age ON outcomes (recorded_at)"
_POSITIONS_TABLE = """
CREATE TABLE IF NOT EXISTS positions (name TEXT PRIMARY KEY, position INTEGER NOT NULL)
WITHOUT ROWID
"""
_TABLES = (
    _OUTCOMES_TABLE,
    _OUTCOMES_INDEX,
    _POSITIONS_TABLE,
    statements.TABLE.format(blob="BLOB"),
    statements.INDEX,
)
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


class SQLiteRecorder(SQLiteApplicationRecorder):
    """The eventsourcing library's recorder, with outcomes and positions beside the events."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._locks: list[TextIO] = []
        super().__init__(
            SQLiteDatastore(
                db_name=f"file:{quote(str(path))}", originator_id_type="text", pool_size=8
            )
        )
        # Those who make the same file at once would find it locked, without SQLite's patience.
        with self._lock_file("creation").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.create_table()

    def _lock_file(self, name: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{name}.lock")

    def construct_create_table_statements(self) -> list[str]:
        """The library's tables and ours."""
        return [*super().construct_create_table_statements(), *_TABLES]

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        ids = super()._insert_events(c, stored_events)
        outcomes: Sequence[Outcome] = kwargs.get("outcomes", ())
        c.executemany("INSERT INTO outcomes VALUES (?,?,?,?,?,?)", [o.row() for o in outcomes])
        for attempt in kwargs.get("attempts", ()):
            c.execute(statements.INSERT, insert_parameters(attempt))
        for closure in kwargs.get("closures", ()):
            for statement in statements.CLOSE:
                c.execute(statement, closure_parameters(closure))
        return ids

    def attempt_rows(self, statement: str, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a statement about payment attempts."""
        with self.datastore.transaction(commit=True) as c:
            c.execute(statement, facts)
            return [dict(row) for row in c.fetchall()]

    def select_batch(
        self, outcome_keys: Sequence[str], streams: Sequence[StreamRange]
    ) -> tuple[list[Outcome], list[StoredEvent]]:
        """Both in one snapshot of the database."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(_OUTCOMES, [orjson.dumps(outcome_keys).decode()])
            outcomes = [Outcome.of_row(*row) for row in c.fetchall()]
            c.execute(_STREAMS, [orjson.dumps([tuple(stream) for stream in streams]).decode()])
            return outcomes, [StoredEvent(*row) for row in c.fetchall()]

    def select_after(self, position: int, limit: int) -> list[Notification]:
        """In commit order, since SQLite has one writer at a time."""
        return list(self.select_notifications(position, limit, inclusive_of_start=False))

    def select_in_streams(
        self, checkout_id: str, version: int, limit: int, *, within: bool
    ) -> list[Notification]:
        """Stream by stream, in the database's own order of ids."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(_IN_STREAM if within else _IN_STREAMS, [checkout_id, version, limit])
            return [Notification(**row) for row in c.fetchall()]

    def select_newest(self) -> int:
        """The position of the newest event."""
        return self.max_notification_id() or 0

    def select_position(self, name: str) -> int:
        """How far a reader has come."""
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT position FROM positions WHERE name = ?", [name])
            row = c.fetchone()
            return row[0] if row else 0

    def advance_position(self, name: str, position: int) -> None:
        """Move a reader's position forward."""
        with self.datastore.transaction(commit=True) as c:
            c.execute(
                "INSERT INTO positions VALUES (?, ?) ON CONFLICT (name) DO UPDATE "
                "SET position = excluded.position WHERE position < excluded.position",
                [name, position],
            )

    def delete_position(self, name: str) -> None:
        """Send a reader back to the beginning."""
        with self.datastore.transaction(commit=True) as c:
            c.execute("DELETE FROM positions WHERE name = ?", [name])

    def purge_outcomes(
        self, recorded_before: int, closing_topics: Sequence[str], limit: int
    ) -> int:
        """Delete old outcomes that are needed no more."""
        with self.datastore.transaction(commit=True) as c:
            c.execute(_PURGE, [recorded_before, orjson.dumps(closing_topics).decode(), limit])
            c.execute("SELECT changes()")
            return int(c.fetchone()[0])

    def try_lock(self, name: str) -> Callable[[], bool] | None:
        """Lock a file beside the database; the system lets go of it when the process dies."""
        file = self._lock_file(name).open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        self._locks.append(file)
        return lambda: not file.closed

    def close(self) -> None:
        """Close connections and let go of locks."""
        for file in self._locks:
            file.close()
        self.datastore.close()
