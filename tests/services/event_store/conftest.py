"""The databases that the suite runs on: each test gets an empty one of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from services.event_store import EventStore, open_store
from tests.servers.postgres import fresh_database

OpenStore = Callable[[], EventStore]
INITIAL_SCHEMA = Path(__file__).parent / "initial_schema"


@pytest.fixture
def sqlite_database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/events.db"


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    with fresh_database(postgres_url) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, once of each kind."""
    return str(request.getfixturevalue(f"{request.param}_database"))


@pytest.fixture
def initial(database: str) -> str:
    """A store of the last build without a schema version, with rows."""
    name = "postgres" if database.startswith("postgresql:") else "sqlite"
    dump = (INITIAL_SCHEMA / f"{name}.sql").read_text(encoding="utf-8")
    if name == "postgres":
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(dump.encode())
    else:
        with sqlite3.connect(database.removeprefix("sqlite:///")) as file:
            file.executescript(dump)
        file.close()
    return database


@pytest.fixture
def opened() -> Iterator[Callable[[str], EventStore]]:
    """Opens stores that are closed when the test ends."""
    with ExitStack() as stack:

        def opens(url: str) -> EventStore:
            store = open_store(url)
            stack.callback(store.close)
            return store

        yield opens


@pytest.fixture
def open_another(database: str, opened: Callable[[str], EventStore]) -> OpenStore:
    """Opens one more store on the test's database, as another process would."""
    return lambda: opened(database)


@pytest.fixture
def store(open_another: OpenStore) -> EventStore:
    return open_another()


@pytest.fixture
def postgres_store(postgres_database: str, opened: Callable[[str], EventStore]) -> EventStore:
    return opened(postgres_database)
