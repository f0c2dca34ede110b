"""The event store in PostgreSQL: many processes, one order of commits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from eventsourcing.persistence import (
    Notification,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import Connection, Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow
from psycopg.sql import SQL

from services.event_store import postgres_sql as sql
from services.event_store.outcomes import Outcome
from services.event_store.payment_attempt_sql import for_psycopg
from services.event_store.payment_attempts import closure_parameters, insert_parameters
from services.event_store.postgres_schema import create_tables
from services.event_store.recorder import StreamRange

_KEEPALIVE = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""How soon a server that vanished without a word is given up (libpq: seconds, and milliseconds)."""

CHANNEL = "stored_events"
"""The channel on which PostgreSQL announces each commit of events (NOTIFY)."""

_COMMIT_ORDER_LOCK = 4_851_150_201
"""Held by each transaction that inserts events. The number is arbitrary, and ours in this database."""


class PostgresRecorder(PostgresApplicationRecorder):
    """The eventsourcing library's recorder, with outcomes and positions beside the events.

    Its statements run without the library's retries, which block for tens of seconds while the
    server is down: who calls decides how long to wait.
    """

    def __init__(self, url: str, connect_timeout: float = 5.0) -> None:
        self._conninfo = _connection_parameters(url, connect_timeout)
        self._lock_connections: list[Connection[Any]] = []
        # The pool would say no more than that it timed out; a plain connection says why, at once.
        with self._connect() as connection:
            datastore = self._datastore(dict(self._conninfo), connect_timeout)
            try:
                super().__init__(datastore)
                create_tables(self, connection)
            except BaseException:
                datastore.close()
                raise
        # The library's LOCK TABLE would wait for every VACUUM and CREATE INDEX CONCURRENTLY; an
        # advisory lock keeps notification ids in the order of commits all the same.
        self.lock_table_statements = [SQL(f"SELECT pg_advisory_xact_lock({_COMMIT_ORDER_LOCK})")]

    def _connect(self) -> Connection[Any]:
        return psycopg.connect(**self._conninfo, autocommit=True)

    @staticmethod
    def _datastore(given: dict[str, Any], connect_timeout: float) -> PostgresDatastore:
        datastore = PostgresDatastore(
            dbname=given.pop("dbname", ""),
            host=given.pop("host", ""),
            port=given.pop("port", "5432"),
            user=given.pop("user", ""),
            password=given.pop("password", ""),
            connect_timeout=connect_timeout,
            # A writer that hangs inside its transaction would hold all others up.
            idle_in_transaction_session_timeout=5.0,
            pool_size=1,
            max_overflow=7,
            pre_ping=True,
            originator_id_type="text",
        )
        # What the library has no name for (sslmode, sslrootcert, …) goes straight to libpq.
        if isinstance(datastore.pool.kwargs, dict):
            datastore.pool.kwargs.update(given)
        # Its pauses between attempts double for minutes, while the server may long be back.
        datastore.pool.reconnect_timeout = connect_timeout
        return datastore

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Lock, events, outcomes and the announcement in one transaction; nothing is swallowed."""
        outcomes: Sequence[Outcome] = kwargs.get("outcomes", ())
        with (
            self.datastore.get_connection() as conn,
            conn.transaction(),
            conn.pipeline(),
            conn.cursor() as curs,
        ):
            if stored_events:
                self._insert_stored_events(curs, stored_events)
            if outcomes:
                curs.execute(
                    sql.INSERT_OUTCOMES,
                    [list(x) for x in zip(*(o.row() for o in outcomes), strict=True)],
                )
            for attempt in kwargs.get("attempts", ()):
                curs.execute(sql.INSERT_ATTEMPT, insert_parameters(attempt))
            for closure in kwargs.get("closures", ()):
                for statement in sql.CLOSE_ATTEMPT:
                    curs.execute(statement, closure_parameters(closure))
        return None

    def attempt_rows(self, statement: str, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a statement about payment attempts."""
        with self.datastore.get_connection() as conn:
            found = conn.execute(for_psycopg(statement).encode(), facts)
            return [dict(row) for row in found.fetchall()]

    def select_batch(
        self, outcome_keys: Sequence[str], streams: Sequence[StreamRange]
    ) -> tuple[list[Outcome], list[StoredEvent]]:
        """Outcomes first, so that a stream is never older than the outcome that was not found."""
        with self.datastore.get_connection() as conn, conn.pipeline():
            found = self._query(conn, sql.OUTCOMES, [list(outcome_keys)]) if outcome_keys else None
            columns = [list(column) for column in zip(*streams, strict=True)] or [[], [], []]
            events = self._query(conn, sql.STREAMS, columns)
            outcomes = [Outcome.of_row(**row) for row in found.fetchall()] if found else []
            return outcomes, [_stored(row) for row in events.fetchall()]

    def select_after(self, position: int, limit: int) -> list[Notification]:
        """In commit order, which the advisory lock makes the order of the ids."""
        with self.datastore.get_connection() as conn:
            rows = self._query(conn, sql.AFTER, [position, limit]).fetchall()
        return [_notification(row) for row in rows]

    def select_in_streams(
        self, checkout_id: str, version: int, limit: int, *, within: bool
    ) -> list[Notification]:
        """Stream by stream, in the database's own order of ids."""
        statement = sql.IN_STREAM if within else sql.IN_STREAMS
        with self.datastore.get_connection() as conn:
            rows = self._query(conn, statement, [checkout_id, version, limit]).fetchall()
        return [_notification(row) for row in rows]

    def select_newest(self) -> int:
        """The position of the newest event."""
        statement = SQL("SELECT max(notification_id) AS newest FROM stored_events")
        with self.datastore.get_connection() as conn:
            row = self._query(conn, statement, []).fetchone()
        return (row and row["newest"]) or 0

    def select_position(self, name: str) -> int:
        """How far a reader has come."""
        statement = SQL("SELECT position FROM positions WHERE name = %s")
        with self.datastore.get_connection() as conn:
            row = self._query(conn, statement, [name]).fetchone()
        return row["position"] if row else 0

    def advance_position(self, name: str, position: int) -> None:
        """Move a reader's position forward."""
        statement = SQL(
            "INSERT INTO positions AS p VALUES (%s, %s) ON CONFLICT (name) DO UPDATE "
            "SET position = excluded.position WHERE p.position < excluded.position"
        )
        with self.datastore.get_connection() as conn:
            self._query(conn, statement, [name, position])

    def delete_position(self, name: str) -> None:
        """Send a reader back to the beginning."""
        with self.datastore.get_connection() as conn:
            self._query(conn, SQL("DELETE FROM positions WHERE name = %s"), [name])

    def purge_outcomes(
        self, recorded_before: int, closing_topics: Sequence[str], limit: int
    ) -> int:
        """Delete old outcomes that are needed no more."""
        with self.datastore.get_connection() as conn:
            return self._query(
                conn, sql.PURGE, [recorded_before, list(closing_topics), limit]
            ).rowcount

    def try_lock(self, name: str) -> Callable[[], bool] | None:
        """Lock a name in the database, for as long as a connection of its own lives."""
        connection = self._connect()
        # The server, too, shall notice that a host has vanished, and let go of the lock.
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
        """Call back at each commit, by any process, until it is no longer wanted.

        Raises psycopg's errors when the connection is lost; commits are missed until it is called
        again, so whoever listens looks by a timer too.
        """
        with self._connect() as connection:
            connection.execute(SQL(f"LISTEN {CHANNEL}"))
            on_commit()
            while is_wanted():
                for _ in connection.notifies(timeout=1.0, stop_after=1):
                    on_commit()

    def close(self) -> None:
        """Close connections and with them the locks."""
        for connection in self._lock_connections:
            connection.close()
        self.datastore.close()

    @staticmethod
    def _query(conn: Connection[DictRow], statement: SQL, params: list[Any]) -> Cursor[DictRow]:
        return conn.execute(statement, params, prepare=True)


def _connection_parameters(url: str, connect_timeout: float) -> dict[str, Any]:
    """What the URL says. Raises `ValueError` without quoting it, since it may hold a password."""
    try:
        return {**_KEEPALIVE, "connect_timeout": round(connect_timeout), **conninfo_to_dict(url)}
    except psycopg.ProgrammingError:
        raise ValueError("is not a PostgreSQL URL, or has an unknown parameter") from None


def _notification(row: DictRow) -> Notification:
    return Notification(
        id=row["id"],
        originator_id=row["originator_id"],
        originator_version=row["originator_version"],
        topic=row["topic"],
        # A null, which only other hands than ours can have written, is no event either.
        state=bytes(row["state"] or b""),
    )


def _stored(row: DictRow) -> StoredEvent:
    return StoredEvent(
        originator_id=row["originator_id"],
        originator_version=row["originator_version"],
        topic=row["topic"],
        state=bytes(row["state"]),
    )
