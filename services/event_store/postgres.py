"""The event store in PostgreSQL, which many processes write in one commit order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from eventsourcing.persistence import (
    Notification,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg import Connection, Cursor, Rollback
from psycopg.rows import DictRow
from psycopg.sql import SQL

from services.event_store import postgres_sql as sql
from services.event_store.outcomes import Outcome
from services.event_store.payment_attempt_sql import for_psycopg
from services.event_store.postgres_connection import connection_parameters, datastore_of
from services.event_store.postgres_schema import PostgresSchema
from services.event_store.recorder import (
    SERVER_CHANGED,
    Statement,
    StoredSideRow,
    StreamRange,
    WritesRefused,
)
from services.event_store.schema_version import prepare
from services.event_store.server_watch import ADOPT, ESTABLISH

CHANNEL = "stored_events"
"""The channel on which PostgreSQL announces each commit of events (NOTIFY)."""

_LOCK_COMMITS = "SELECT pg_advisory_xact_lock(4851150201)"
"""Takes the advisory lock of each transaction that inserts events. The number is arbitrary."""


class PostgresRecorder(PostgresApplicationRecorder):
    """The eventsourcing library's recorder, with outcomes, side rows and positions beside the events.

    Used from the library: the events table and its columns, the connection pool, `_insert_stored_events`
    (it takes the commit order lock, inserts, notifies) and the translation of psycopg's errors.

    Replaced, and why:
    - `insert_events`: the library's `_insert_events` swallows an exception of code around it and commits
      side rows without the events. Here all of it is one transaction, and every error is raised.
    - The library's `@retry`, on this and on the reads: it blocks for tens of seconds while the server
      is down. The caller decides how long to wait.
    - The table lock, by an advisory lock; see `__init__`.
    - Its selects, by `select_…`: outcomes and streams of many checkouts in one round trip.
    """

    def __init__(self, url: str, connect_timeout: float = 5.0, *, may_migrate: bool = True) -> None:
        self._conninfo = connection_parameters(url, connect_timeout)
        self._lock_connections: list[Connection[Any]] = []
        # The pool only reports that it timed out; a plain connection fails at once, with the reason.
        with self._connect() as connection:
            prepare(PostgresSchema(connection), may_migrate=may_migrate)
        datastore = datastore_of(self._conninfo, connect_timeout)
        try:
            super().__init__(datastore)
        except BaseException:
            datastore.close()
            raise
        # An advisory lock keeps notification ids in commit order as the library's LOCK TABLE does, but
        # does not wait for every VACUUM and CREATE INDEX CONCURRENTLY.
        self.lock_table_statements = [SQL(_LOCK_COMMITS)]
        self.on_newest: Callable[[int, int], None] = lambda _epoch, _position: None
        self.run(*ESTABLISH)

    position_column = "notification_id"
    commit_lock: Sequence[Statement] = ((_LOCK_COMMITS, {}),)
    adopt_server: Sequence[Statement] = (ADOPT,)

    def _connect(self) -> Connection[Any]:
        return psycopg.connect(**self._conninfo, autocommit=True)

    def confirm_commits(self) -> None:
        """Commit once more, and wait for the synchronous standby if there is one.

        When a backend that waits for the standby is terminated, or the primary restarts, its commit can be
        seen although the standby lacks it. A standby that has a later commit has the earlier ones too.
        """
        with self.datastore.get_connection() as conn:
            conn.execute("SELECT pg_logical_emit_message(true, 'checkout', '')")

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Lock, events, outcomes, side rows and NOTIFY in one transaction. Every error is raised."""
        outcomes: Sequence[Outcome] = kwargs.get("outcomes", ())
        side_rows: Sequence[StoredSideRow] = kwargs.get("side_rows", ())
        with self.datastore.get_connection() as conn, conn.transaction():
            with conn.pipeline(), conn.cursor() as curs:
                if stored_events:
                    self._insert_stored_events(curs, stored_events)
                # After the lock, and in the same round trip as the rest.
                guard = self._query(conn, sql.WRITE_GUARD, [])
                if outcomes:
                    curs.execute(
                        sql.INSERT_OUTCOMES,
                        [list(x) for x in zip(*(o.row() for o in outcomes), strict=True)],
                    )
                for row in side_rows:
                    for statement, parameters in row.statements():
                        curs.execute(for_psycopg(statement), parameters)
            [found] = guard.fetchall()
            if not kwargs.get("while_stopped"):
                if found["reason"]:
                    raise WritesRefused(found["reason"])
                if not found["is_same_server"]:
                    raise WritesRefused(SERVER_CHANGED)
        self.on_newest(found["epoch"], found["newest"])
        return None

    def run(self, statement: str, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a statement that both databases know, in a transaction of its own."""
        with self.datastore.get_connection() as conn:
            found = conn.execute(for_psycopg(statement), facts)
            return [dict(row) for row in found.fetchall()]

    def run_together(self, statements: Sequence[Statement]) -> bool:
        """Run statements in one transaction; if one returns no row, write nothing and return False."""
        is_complete = True
        with self.datastore.get_connection() as conn, conn.transaction() as transaction:
            for statement, facts in statements:
                if conn.execute(for_psycopg(statement), facts).fetchone() is None:
                    is_complete = False
                    raise Rollback(transaction)
        return is_complete

    def select_batch(
        self, outcome_keys: Sequence[str], streams: Sequence[StreamRange]
    ) -> tuple[list[Outcome], list[StoredEvent]]:
        """Reads outcomes first: then a stream is never older than the lack of an outcome."""
        with self.datastore.get_connection() as conn, conn.pipeline():
            found = self._query(conn, sql.OUTCOMES, [list(outcome_keys)]) if outcome_keys else None
            columns = [list(column) for column in zip(*streams, strict=True)] or [[], [], []]
            events = self._query(conn, sql.STREAMS, columns)
            outcomes = [Outcome.of_row(**row) for row in found.fetchall()] if found else []
            return outcomes, [_stored(row) for row in events.fetchall()]

    def select_after(self, position: int, limit: int) -> list[Notification]:
        """By notification id, which the advisory lock keeps in commit order."""
        with self.datastore.get_connection() as conn:
            rows = self._query(conn, sql.AFTER, [position, limit]).fetchall()
        return [_notification(row) for row in rows]

    def select_in_streams(
        self, checkout_id: str, version: int, limit: int, *, within: bool
    ) -> list[Notification]:
        """By checkout id, in the database's collation, and version."""
        statement = sql.IN_STREAM if within else sql.IN_STREAMS
        with self.datastore.get_connection() as conn:
            rows = self._query(conn, statement, [checkout_id, version, limit]).fetchall()
        return [_notification(row) for row in rows]

    def select_version(self, checkout_id: str) -> int:
        """The last version of a checkout's stream, read from the primary key's index."""
        with self.datastore.get_connection() as conn:
            row = self._query(conn, sql.VERSION, [checkout_id]).fetchone()
        return (row and row["version"]) or 0

    def select_newest(self) -> int:
        """The position of the newest event."""
        statement = SQL("SELECT max(notification_id) AS newest FROM stored_events")
        with self.datastore.get_connection() as conn:
            row = self._query(conn, statement, []).fetchone()
        return (row and row["newest"]) or 0

    def select_position(self, name: str) -> int:
        """The position of a reader."""
        statement = SQL("SELECT position FROM positions WHERE name = %s")
        with self.datastore.get_connection() as conn:
            row = self._query(conn, statement, [name]).fetchone()
        return row["position"] if row else 0

    def advance_position(self, name: str, position: int) -> None:
        """Move a reader's position forward."""
        statement = SQL(
            "INSERT INTO positions AS p (name, position) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE "
            "SET position = excluded.position WHERE p.position < excluded.position"
        )
        with self.datastore.get_connection() as conn:
            self._query(conn, statement, [name, position])

    def delete_position(self, name: str) -> None:
        """Reset a reader to the beginning."""
        with self.datastore.get_connection() as conn:
            self._query(conn, SQL("DELETE FROM positions WHERE name = %s"), [name])

    def purge_outcomes(
        self, recorded_before: int, closing_topics: Sequence[str], limit: int
    ) -> int:
        """Delete old outcomes that are no longer needed."""
        with self.datastore.get_connection() as conn:
            return self._query(
                conn, sql.PURGE, [recorded_before, list(closing_topics), limit]
            ).rowcount

    def try_lock(self, name: str) -> Callable[[], bool] | None:
        """Lock a name in the database; the lock lives as long as its dedicated connection."""
        connection = self._connect()
        # So that the server also notices a vanished host, and releases the lock.
        for probe, value in (("idle", 5), ("interval", 2), ("count", 3)):
            connection.execute(SQL(f"SET tcp_keepalives_{probe} = {value}"))
        row = connection.execute(
            "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"checkout.{name}"]
        ).fetchone()
        if row is None or not row[0]:
            connection.close()
            return None
        self._lock_connections.append(connection)

        def is_held() -> bool:
            try:
                connection.execute("SELECT 1")
            except psycopg.Error:
                connection.close()
                return False
            return True

        return is_held

    def listen(self, on_commit: Callable[[], None], is_wanted: Callable[[], bool]) -> None:
        """Call `on_commit` after each commit of any process, for as long as `is_wanted`.

        Raises psycopg's errors when the connection is lost. Commits go unnoticed until it is called
        again, so callers also poll.
        """
        with self._connect() as connection:
            connection.execute(SQL(f"LISTEN {CHANNEL}"))
            on_commit()
            while is_wanted():
                for _ in connection.notifies(timeout=1.0, stop_after=1):
                    on_commit()

    def close(self) -> None:
        """Close connections, which releases the locks."""
        for connection in self._lock_connections:
            connection.close()
        self.datastore.close()

    @staticmethod
    def _query(conn: Connection[DictRow], statement: SQL, params: list[Any]) -> Cursor[DictRow]:
        return conn.execute(statement, params, prepare=True)


def _notification(row: DictRow) -> Notification:
    return Notification(
        id=row["id"],
        originator_id=row["originator_id"],
        originator_version=row["originator_version"],
        topic=row["topic"],
        # A null can only come from another program; it is no readable event either.
        state=bytes(row["state"] or b""),
    )


def _stored(row: DictRow) -> StoredEvent:
    return StoredEvent(
        originator_id=row["originator_id"],
        originator_version=row["originator_version"],
        topic=row["topic"],
        # As above; only its own checkout is at fault.
        state=bytes(row["state"] or b""),
    )
