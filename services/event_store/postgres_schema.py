"""The schema of a PostgreSQL store, changed while other processes use it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, errors
from psycopg.sql import SQL, Identifier

from services.event_store.errors import SchemaOutdated
from services.event_store.migrations import (
    MIGRATIONS,
    AnyMigration,
    Migration,
    NewIndex,
    pending,
)
from services.event_store.schema_version import PATIENCE_SECONDS, TABLE, outdated

_MIGRATION_LOCK = 4_851_150_202
"""The advisory lock of the process that migrates. The number is arbitrary."""

_LOCK_TIMEOUT_MILLISECONDS = 1_500
"""How long a change of a table waits for its lock: writers queue behind it. An autovacuum gives way after
`deadlock_timeout`, one second."""
_PAUSE_SECONDS = 2.0
"""Between two such attempts, so that writers get through."""


class PostgresSchema:
    """Implements `Schema` on a connection in autocommit mode. Raises psycopg's errors."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def applied(self) -> set[int]:
        """See `Schema`."""
        [exists] = self._row("SELECT to_regclass('schema_migrations') IS NOT NULL")
        rows = self._connection.execute("SELECT number FROM schema_migrations") if exists else ()
        return {number for (number,) in rows}

    def migrate(self, migrations: Sequence[AnyMigration] = MIGRATIONS) -> list[AnyMigration]:
        """See `Schema`."""
        done: list[AnyMigration] = []
        with self._alone(lambda: pending(migrations, self.applied())):
            for migration in pending(migrations, self.applied()):
                try:
                    self._apply(migration)
                except errors.InsufficientPrivilege as error:
                    raise outdated([migration], str(error.diag.message_primary)) from None
                done.append(migration)
        return done

    @contextmanager
    def _alone(self, missing: Callable[[], Sequence[AnyMigration]]) -> Iterator[None]:
        """Hold the migration lock.

        It is tried again and again instead of being waited for in the server: CREATE INDEX CONCURRENTLY, by
        the process that holds it, waits for every statement that runs.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._row("SELECT pg_try_advisory_lock(%s)", _MIGRATION_LOCK)[0]:
            if time.monotonic() > deadline:
                raise outdated(missing(), "Another process is migrating the store")
            time.sleep(0.1)
        try:
            yield
        finally:
            if not self._connection.closed:
                self._connection.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])

    def _apply(self, migration: AnyMigration) -> None:
        if isinstance(migration, NewIndex):
            self._create_index(migration)
            return
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._change(migration)
            except errors.LockNotAvailable:
                if time.monotonic() > deadline:
                    raise _in_use(migration) from None
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def _change(self, migration: Migration) -> None:
        with self._connection.transaction():
            self._connection.execute(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MILLISECONDS}")
            for statement in (TABLE, *migration.postgres):
                self._connection.execute(statement.encode())
            self._record(migration)

    def _create_index(self, migration: NewIndex) -> None:
        index = Identifier(migration.index)
        # An interrupted build leaves an invalid index, which is maintained but never used.
        self._connection.execute(SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(index))
        self._connection.execute(
            SQL("CREATE INDEX CONCURRENTLY {} ON " + migration.on).format(index)
        )
        self._record(migration)

    def _record(self, migration: AnyMigration) -> None:
        self._connection.execute(
            "INSERT INTO schema_migrations (number, name, applied_at) VALUES (%s, %s, %s)",
            [migration.number, migration.name, int(time.time())],
        )

    def _row(self, statement: str, *parameters: object) -> Any:
        return self._connection.execute(statement.encode(), parameters or None).fetchone()


def _in_use(migration: Migration) -> SchemaOutdated:
    return outdated(
        [migration],
        "A transaction of another session has used its table for too long (see pg_stat_activity)",
    )
