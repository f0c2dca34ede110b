"""The schema of the store as an ordered list of changes. To change it, append an entry to `MIGRATIONS`.

Every change is additive (a table, a column, an index), because older builds run on the same store during an
upgrade and after a rollback: they name the columns that they read and write, and ignore what was added. So a
new column is nullable or has a DEFAULT. An entry that was released is never changed or removed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.event_store import initial_schema


@dataclass(frozen=True, slots=True)
class Migration:
    """One change. The statements for each database run in one transaction."""

    number: int
    name: str
    sqlite: Sequence[str]
    postgres: Sequence[str]


@dataclass(frozen=True, slots=True)
class NewIndex:
    """An index `on` a table that may be large, such as `outcomes (checkout_id)`. PostgreSQL builds it while
    writes go on.
    """

    number: int
    name: str
    index: str
    on: str


AnyMigration = Migration | NewIndex


def on_both(number: int, name: str, *statements: str) -> Migration:
    """A change whose statements both databases run."""
    return Migration(number, name, statements, statements)


MIGRATIONS: tuple[AnyMigration, ...] = (
    Migration(1, "initial schema", initial_schema.SQLITE, initial_schema.POSTGRES),
    on_both(
        2,
        "streams that the relay has set aside",
        "CREATE TABLE set_aside (checkout_id text PRIMARY KEY, version bigint NOT NULL, "
        "position bigint NOT NULL, reason text NOT NULL, since double precision NOT NULL)",
    ),
    on_both(
        3,
        "the server that the store is written on",
        "CREATE TABLE store_server (only_row integer PRIMARY KEY CHECK (only_row = 1), "
        "server text NOT NULL)",
    ),
    on_both(
        4,
        "the Redis server whose views are trusted",
        "CREATE TABLE views_trust (only_row integer PRIMARY KEY CHECK (only_row = 1), "
        "run_id text NOT NULL, state text NOT NULL, change bigint NOT NULL)",
    ),
)


def pending(migrations: Sequence[AnyMigration], applied: Collection[int]) -> Sequence[AnyMigration]:
    """The migrations that a store lacks, in order."""
    return [migration for migration in migrations if migration.number not in applied]
