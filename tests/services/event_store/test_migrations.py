"""The schema of a store, from the last build without a schema version on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from domain.rejection import invalid
from services.event_store import EventStore, SchemaOutdated, open_schema, open_store
from services.event_store.migrations import MIGRATIONS, AnyMigration, Migration, NewIndex, on_both
from services.event_store.payment_attempts import AttemptState
from services.event_store.publication import Publication, PublishedEvent
from services.event_store.recorder import StreamRange
from tests.services.event_store.examples import EXAMPLES
from tests.services.event_store.samples import event, outcome, stream
from tests.services.event_store.test_attempts import attempt
from tests.services.event_store.test_later_columns import TABLES, execute

Opens = Callable[[str], EventStore]

NEXT = MIGRATIONS[-1].number + 1
LATER: tuple[AnyMigration, ...] = (
    *MIGRATIONS,
    on_both(NEXT, "a table", "CREATE TABLE later (name text PRIMARY KEY)"),
    on_both(
        NEXT + 1,
        "columns",
        *(f"ALTER TABLE {table} ADD COLUMN later text NOT NULL DEFAULT 'x'" for table in TABLES),
    ),
    NewIndex(NEXT + 2, "an index", "outcomes_by_checkout", "outcomes (checkout_id)"),
)


def migrate(database: str, migrations: tuple[AnyMigration, ...] = MIGRATIONS) -> list[int]:
    """Migrate as a build with these migrations does; the numbers of those that it applied."""
    with open_schema(database) as schema:
        return [migration.number for migration in schema.migrate(migrations)]


def shape(database: str) -> list[tuple[Any, ...]]:
    """Tables, columns and indexes. Columns that were added stand last in their table on any database."""
    if database.startswith("postgresql:"):
        columns = execute(
            database,
            "SELECT table_name, column_name, data_type, is_nullable, column_default "
            "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
        )
        indexes = execute(database, "SELECT indexname, indexdef FROM pg_indexes ORDER BY 1, 2")
        return [*columns, *(each for each in indexes if "pg_catalog" not in each[1])]
    rows = execute(
        database,
        "SELECT t.name, c.name, upper(c.type), c.[notnull], c.dflt_value, c.pk "
        "FROM sqlite_schema t, pragma_table_info(t.name) c ORDER BY 1, 2",
    )
    return list(rows)


def test_the_schema_of_before_is_migrated_with_its_rows(initial: str, opened: Opens):
    store = opened(initial)

    found = store.read(
        ["kafka:yes", "http:no", "kafka:one"], [StreamRange("chk_Golden-1"), StreamRange("one")]
    )
    initial_events = [fact for fact in EXAMPLES.values() if fact.version <= 11]
    assert list(found.streams["chk_Golden-1"])[:11] == initial_events
    assert found.streams["one"] == stream("one", 1, 3)
    assert found.outcomes["http:no"] == outcome(
        "http:no", "chk_Golden-1", 0, invalid("no", "$.items")
    )
    assert store.attempts.get("attempt_waiting") == attempt("waiting")
    last = PublishedEvent(2, "chk_Golden-1", 2)
    assert store.publication.read() == Publication(2, last, "checkout.events", {0: 2, 1: 0})
    assert len(store.lineage().lineage) == 32
    store.append([event("one", 4)], [outcome("kafka:two", "one", 4)])
    assert [row.version for row in store.rows(13, 10)] == [3, 4]


def test_a_migrated_store_is_like_a_new_one(
    initial: str, tmp_path: Path, request: pytest.FixtureRequest
):
    migrate(initial, LATER)
    with _another(initial, tmp_path) as new:
        migrate(new, LATER)
        assert shape(initial) == shape(new)


@contextmanager
def _another(database: str, tmp_path: Path) -> Iterator[str]:
    if not database.startswith("postgresql:"):
        yield f"sqlite:///{tmp_path}/another.db"
        return
    name = "another_" + urlsplit(database).path.removeprefix("/")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        try:
            yield urlsplit(database)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_each_migration_is_applied_once(initial: str):
    assert migrate(initial) == [migration.number for migration in MIGRATIONS]
    assert migrate(initial) == []
    assert migrate(initial, LATER) == [NEXT, NEXT + 1, NEXT + 2]
    assert migrate(initial, LATER) == []


def test_processes_that_migrate_at_once_apply_each_once(initial: str):
    with ThreadPoolExecutor(6) as pool:
        applied = list(pool.map(lambda _: migrate(initial, LATER), range(6)))
    assert sorted(number for each in applied for number in each) == [
        migration.number for migration in LATER
    ]


def test_an_older_build_works_on_a_later_schema(initial: str, opened: Opens):
    before = opened(initial)
    migrate(initial, LATER)

    for store, version in ((before, 4), (opened(initial), 5)):
        store.append([event("one", version)], [outcome(f"kafka:{version}", "one", version)])
        assert store.version("one") == version
        assert store.attempts.page([AttemptState.OPEN])
        store.publication.restart(store.publication.read())
    assert migrate(initial) == []


def test_a_process_that_may_not_migrate_names_the_command(initial: str, opened: Opens):
    before = shape(initial)
    with pytest.raises(
        SchemaOutdated, match=r"migration 1 \(initial schema\).*checkout store migrate"
    ):
        open_store(initial, may_migrate=False)
    assert shape(initial) == before
    migrate(initial)
    store = open_store(initial, may_migrate=False)
    store.append([event("two", 1)])
    store.close()


def test_a_missing_sqlite_file_is_not_created_without_the_right_to_migrate(sqlite_database: str):
    with pytest.raises(SchemaOutdated):
        open_store(sqlite_database, may_migrate=False)
    assert not Path(sqlite_database.removeprefix("sqlite:///")).exists()


def test_a_migration_that_fails_leaves_nothing(initial: str):
    broken = on_both(
        NEXT, "broken", "CREATE TABLE half (name text)", "ALTER TABLE no ADD COLUMN x text"
    )
    migrate(initial)
    before = shape(initial)
    with pytest.raises(Exception, match="no"):
        migrate(initial, (*MIGRATIONS, broken))
    assert shape(initial) == before
    assert migrate(initial, LATER) == [NEXT, NEXT + 1, NEXT + 2]


_ADDITIVE = re.compile(
    r"\s*(CREATE TABLE|ALTER TABLE \w+ ADD COLUMN (?!.*NOT NULL(?!.*DEFAULT)))", re.DOTALL
)


def test_migrations_are_numbered_in_order_and_only_add():
    assert [migration.number for migration in MIGRATIONS] == [*range(1, len(MIGRATIONS) + 1)]
    for migration in MIGRATIONS[1:]:
        if isinstance(migration, Migration):
            for statement in (*migration.sqlite, *migration.postgres):
                assert _ADDITIVE.match(statement), f"{migration.name}: {statement}"
