"""Migrations of a PostgreSQL store that others use meanwhile, and the rights that they need."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psycopg
import pytest

from services.event_store import EventStore, SchemaOutdated, open_schema, open_store
from services.event_store.migrations import MIGRATIONS, NewIndex
from services.event_store.publication import Publication
from tests.services.event_store.samples import event, outcome, stream
from tests.services.event_store.test_attempts import attempt
from tests.services.event_store.test_later_columns import execute
from tests.services.event_store.test_migrations import LATER, NEXT, Opens, migrate
from tests.services.event_store.test_postgres_at_work import soon


@pytest.fixture
def service_role(postgres_url: str, postgres_database: str) -> Iterator[str]:
    """The test's database as a role that may read and write rows, and create nothing."""
    name = f"service_{urlsplit(postgres_database).path[-8:]}"
    with psycopg.connect(postgres_database, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN".encode())
        admin.execute(
            "ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE "
            f"ON TABLES TO {name}".encode()
        )
        admin.execute(f"ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO {name}".encode())
        try:
            address = urlsplit(postgres_database)
            netloc = f"{name}@{address.hostname}:{address.port}"
            yield address._replace(netloc=netloc).geturl()
        finally:
            admin.execute(f"DROP OWNED BY {name}".encode())
            admin.execute(f"DROP ROLE {name}".encode())


def test_a_role_without_the_right_to_create_tables_works_once_an_operator_has_migrated(
    service_role: str, postgres_database: str, opened: Opens
):
    with pytest.raises(SchemaOutdated, match=r"permission denied.*checkout store migrate"):
        open_store(service_role)
    migrate(postgres_database)
    store = opened(service_role)
    store.append(stream("one", 1, 2), [outcome("kafka:one", "one", 2)], [attempt()])
    assert store.publication.advance(Publication(), Publication(1))
    assert [row.version for row in store.rows(1, 10)] == [2]


def test_a_table_that_is_in_use_holds_writers_up_for_less_than_their_deadline(
    postgres_database: str, postgres_store: EventStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.event_store.postgres_schema.PATIENCE_SECONDS", 0.0)
    with psycopg.connect(postgres_database) as reader:
        reader.execute("SELECT count(*) FROM outcomes")
        with ThreadPoolExecutor(1) as pool:
            migrating = pool.submit(migrate, postgres_database, LATER)
            postgres_store.append([event("one", 1)], [outcome("kafka:one", "one")])
            with pytest.raises(SchemaOutdated, match="pg_stat_activity"):
                migrating.result(timeout=60)
    assert migrate(postgres_database, LATER) == [NEXT + 1, NEXT + 2]


def test_a_migration_waits_for_a_table_and_then_goes_on(
    postgres_database: str, postgres_store: EventStore
):
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(postgres_database) as reader:
            reader.execute("SELECT count(*) FROM outcomes")
            migrating = pool.submit(migrate, postgres_database, LATER)
            _until_applied(postgres_database, NEXT)
        assert migrating.result(timeout=60) == [NEXT, NEXT + 1, NEXT + 2]


def _until_applied(database: str, number: int) -> None:
    for _ in range(600):
        with open_schema(database) as schema:
            if number in schema.applied():
                return
    raise AssertionError(f"migration {number} was not applied")


def test_an_index_is_built_while_writers_write(postgres_database: str, postgres_store: EventStore):
    """The transaction of a reader keeps CREATE INDEX CONCURRENTLY waiting; a writer does not wait for it."""
    index = NewIndex(NEXT, "an index", "outcomes_by_checkout", "outcomes (checkout_id)")
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(postgres_database) as writer:
            writer.execute("DELETE FROM outcomes")
            migrating = pool.submit(migrate, postgres_database, (*MIGRATIONS, index))
            _until_invalid(postgres_database)
            postgres_store.append([event("one", 1)], [outcome("kafka:one", "one")])
            assert not migrating.done()
        assert migrating.result(timeout=60) == [NEXT]


def _until_invalid(database: str) -> None:
    for _ in range(600):
        if execute(database, "SELECT 1 FROM pg_index WHERE NOT indisvalid"):
            return
    raise AssertionError("no index is being built")


def test_an_index_whose_build_was_interrupted_is_built_again(
    postgres_database: str, postgres_store: EventStore
):
    postgres_store.append([event("one", 1)], [outcome(f"kafka:{n}", "one") for n in range(2)])
    interrupted = "CREATE UNIQUE INDEX CONCURRENTLY outcomes_by_checkout ON outcomes (checkout_id)"
    with (
        psycopg.connect(postgres_database, autocommit=True) as admin,
        pytest.raises(psycopg.errors.UniqueViolation),
    ):
        admin.execute(interrupted)
    assert migrate(postgres_database, LATER) == [NEXT, NEXT + 1, NEXT + 2]
    assert not execute(postgres_database, "SELECT 1 FROM pg_index WHERE NOT indisvalid")
    [(definition,)] = execute(
        postgres_database,
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'outcomes_by_checkout'",
    )
    assert "UNIQUE" not in definition


def test_a_vacuum_does_not_delay_the_first_start_after_an_upgrade(
    postgres_database: str, postgres_store: EventStore
):
    execute(postgres_database, "DROP TABLE schema_migrations")
    first = MIGRATIONS[:1]
    assert soon(lambda: migrate(postgres_database, first), postgres_database) == [1]
