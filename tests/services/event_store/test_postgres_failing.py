"""PostgreSQL that is away, and back again: said soon, and mended without a restart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest

from services.event_store import EventStore, StoreUnavailable, open_store
from services.event_store.postgres import PostgresRecorder
from services.event_store.recorder import StreamRange
from tests.eventually import eventually
from tests.servers.postgres import OwnPostgres, own_postgres
from tests.servers.programs import HOST, free_port
from tests.services.event_store.samples import event, outcome, stream


@pytest.fixture(scope="module")
def server() -> Iterator[OwnPostgres]:
    """A server that these tests may stop."""
    with own_postgres() as server:
        yield server


@contextmanager
def unavailable(within: float) -> Iterator[None]:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        yield
    assert time.monotonic() - began < within


def test_opening_a_store_whose_server_is_down_fails_at_once_and_says_why():
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="refused"):
        open_store(f"postgresql://nobody@{HOST}:{free_port()}/checkout")
    assert time.monotonic() - began < 4  # a pool would wait for its 5 s


def test_opening_a_database_that_is_not_there_says_so(postgres_url: str):
    with pytest.raises(StoreUnavailable, match='"no_such_database" does not exist'):
        open_store(postgres_url.rpartition("/")[0] + "/no_such_database")


def test_a_call_says_soon_that_the_server_is_down_and_works_when_it_is_back(
    server: OwnPostgres, opened: Callable[[str], EventStore]
):
    store = opened(server.url)
    store.append([event("one", 1)])
    server.stop()
    try:
        with unavailable(within=10):
            store.append([event("one", 2)])
        with unavailable(within=4):
            store.try_lock("relay")
    finally:
        server.start()
    eventually(lambda: is_up(store), within=15)
    store.append([event("one", 2)])
    assert store.read((), [StreamRange("one")]).streams["one"] == stream("one", 1, 2)


def test_a_long_absence_is_over_soon_after_the_server_is_back(server: OwnPostgres):
    with closing(EventStore(PostgresRecorder(server.url, connect_timeout=1.0))) as store:
        store.position("relay")
        server.stop()
        try:
            # A pool whose pauses double tries again 15 s and 31 s after it lost the server.
            away_since = time.monotonic()
            while time.monotonic() < away_since + 18:
                with unavailable(within=6):
                    store.position("relay")
        finally:
            server.start()
        eventually(lambda: is_up(store), within=6)


def is_up(store: EventStore) -> bool:
    try:
        store.position("relay")
    except StoreUnavailable:
        return False
    return True


def test_a_connection_that_was_terminated_is_replaced_by_the_next_call(
    postgres_database: str, postgres_store: EventStore
):
    for version in (1, 2, 3):
        postgres_store.append([event("one", version)], [outcome(f"http:{version}", "one")])
        with psycopg.connect(postgres_database, autocommit=True) as admin:
            ended = admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            ).fetchall()
        assert (True,) in ended
        found = postgres_store.read((), [StreamRange("one")]).streams["one"]
        assert found == stream("one", 1, version)
