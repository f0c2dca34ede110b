"""Creates the tables in PostgreSQL without blocking the processes that use them."""

from __future__ import annotations

from typing import Any

from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg import Connection
from psycopg.sql import SQL

from services.event_store import lineage, publication, write_guard
from services.event_store import payment_attempt_sql as statements

_CREATION_LOCK = 4_851_150_202
"""The advisory lock around the creation: with IF NOT EXISTS alone, concurrent creators fail."""

_BESIDE_THE_EVENTS = {
    "outcomes": SQL(
        "CREATE TABLE IF NOT EXISTS outcomes (key text PRIMARY KEY, fingerprint text NOT NULL, "
        "checkout_id text NOT NULL, version bigint NOT NULL, refusal text, "
        "recorded_at bigint NOT NULL)"
    ),
    "outcomes_by_age": SQL("CREATE INDEX IF NOT EXISTS outcomes_by_age ON outcomes (recorded_at)"),
    "positions": SQL(
        "CREATE TABLE IF NOT EXISTS positions (name text PRIMARY KEY, position bigint NOT NULL)"
    ),
    "payment_attempts": SQL(statements.TABLE.format(blob="bytea")),
    statements.INDEX_NAME: SQL(statements.INDEX),
    "lineage": SQL(lineage.TABLE),
    "publication": SQL(publication.TABLE),
    "write_guard": SQL(write_guard.TABLE),
}


def create_tables(recorder: PostgresApplicationRecorder, connection: Connection[Any]) -> None:
    """Create the library's tables and ours, if one of them is missing.

    Only then: CREATE INDEX, even with IF NOT EXISTS, waits for each VACUUM of its table, and all
    writers queue behind it.
    """
    recorder.sql_create_statements.extend(part.format() for part in _BESIDE_THE_EVENTS.values())
    names = [recorder.events_table_name, recorder.notification_id_index_name, *_BESIDE_THE_EVENTS]
    connection.execute("SELECT pg_advisory_lock(%s)", [_CREATION_LOCK])
    try:
        missing = connection.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL", [names]
        ).fetchall()
        if missing:
            recorder.create_table()
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", [_CREATION_LOCK])
    recorder.datastore.register_type_adapters()
