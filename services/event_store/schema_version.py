"""The schema version of a store: the migrations that were applied to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.event_store.errors import SchemaOutdated
from services.event_store.migrations import MIGRATIONS, AnyMigration, pending

TABLE = (
    "CREATE TABLE IF NOT EXISTS schema_migrations (number integer PRIMARY KEY, "
    "name text NOT NULL, applied_at bigint NOT NULL)"
)
"""A row for each applied migration; the highest number is the schema version."""

PATIENCE_SECONDS = 60.0
"""How long a migration waits for others, who migrate or use the table."""


class Schema(Protocol):
    """The schema of one database."""

    def applied(self) -> set[int]:
        """The numbers of the applied migrations, also those of a later build."""

    def migrate(self, migrations: Sequence[AnyMigration] = MIGRATIONS) -> list[AnyMigration]:
        """Apply the migrations that the store lacks, in order, while no other process does. Returns those
        that this call applied.

        Each is applied with its row in one transaction, except an index on PostgreSQL: if that is
        interrupted, the next call builds it again. Raises `SchemaOutdated` if it may not, or has waited for
        too long.
        """


def prepare(
    schema: Schema, *, may_migrate: bool, migrations: Sequence[AnyMigration] = MIGRATIONS
) -> None:
    """Make sure that the store has what this build needs. Raises `SchemaOutdated` if it lacks something
    and this process may not add it.
    """
    missing = pending(migrations, schema.applied())
    if missing and not may_migrate:
        raise outdated(missing)
    if missing:
        schema.migrate(migrations)


def outdated(missing: Sequence[AnyMigration], why: str = "") -> SchemaOutdated:
    """The error for a store that lacks these migrations."""
    names = ", ".join(f"{migration.number} ({migration.name})" for migration in missing)
    reason = f" {why}." if why else ""
    return SchemaOutdated(
        f"the event store lacks migration {names}.{reason} Run `checkout store migrate` with a role "
        "that may create and alter tables"
    )
