"""The schema of an SQLite store."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from services.event_store.migrations import MIGRATIONS, AnyMigration, NewIndex, pending
from services.event_store.schema_version import PATIENCE_SECONDS, TABLE


class SQLiteSchema:
    """Implements `Schema` on a file, in a directory that exists. Raises sqlite3's errors."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def applied(self) -> set[int]:
        """See `Schema`. A file that does not exist is not created."""
        if not self._path.exists():
            return set()
        with closing(self._connect()) as connection:
            return _applied(connection)

    def migrate(self, migrations: Sequence[AnyMigration] = MIGRATIONS) -> list[AnyMigration]:
        """See `Schema`. All of it is one transaction, which other writers wait for."""
        with closing(self._connect()) as connection:
            # Outside of the transaction, and before the first one: readers then never block writers.
            connection.execute("PRAGMA journal_mode=WAL")
            # With the lock from the start: a transaction that began with a read can't wait for a writer.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(TABLE)
            missing = list(pending(migrations, _applied(connection)))
            for migration in missing:
                _apply(connection, migration)
            connection.execute("COMMIT")
        return missing

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=PATIENCE_SECONDS, isolation_level=None)


def _applied(connection: sqlite3.Connection) -> set[int]:
    exists = "SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'"
    if not connection.execute(exists).fetchone():
        return set()
    return {number for (number,) in connection.execute("SELECT number FROM schema_migrations")}


def _apply(connection: sqlite3.Connection, migration: AnyMigration) -> None:
    if isinstance(migration, NewIndex):
        connection.execute(f"CREATE INDEX {migration.index} ON {migration.on}")
    else:
        for statement in migration.sqlite:
            connection.execute(statement)
    connection.execute(
        "INSERT INTO schema_migrations (number, name, applied_at) VALUES (?, ?, ?)",
        [migration.number, migration.name, int(time.time())],
    )
