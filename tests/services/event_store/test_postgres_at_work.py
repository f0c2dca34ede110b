"""PostgreSQL while others are at work in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import eventsourcing.persistence as es
import psycopg
import pytest

from services.event_store import EventStore
from services.event_store.recorder import StreamRange
from tests.services.event_store.samples import NOW, event, outcome, stream

Result = TypeVar("Result")


@contextmanager
def vacuuming(url: str) -> Iterator[None]:
    """The lock that VACUUM, ANALYZE and CREATE INDEX CONCURRENTLY hold as long as they run."""
    with psycopg.connect(url) as admin:
        admin.execute("LOCK TABLE stored_events, outcomes IN SHARE UPDATE EXCLUSIVE MODE")
        yield


def soon(call: Callable[[], Result], url: str) -> Result:
    """The call's result during a vacuum; `TimeoutError` if the call waits for its end.

    The vacuum ends only after the call, so the timeout matters only to a call that is blocked.
    """
    with ThreadPoolExecutor(1) as pool, vacuuming(url):
        return pool.submit(call).result(timeout=30)


def test_a_vacuum_holds_no_writer_up(postgres_database: str, postgres_store: EventStore):
    postgres_store.append([event("one", 1)])
    written = [event("one", 2)], [outcome("http:1", "one", 2)]
    soon(lambda: postgres_store.append(*written), postgres_database)
    soon(lambda: postgres_store.advance("relay", 1), postgres_database)
    soon(lambda: postgres_store.purge_outcomes(NOW), postgres_database)
    found = postgres_store.read((), [StreamRange("one")]).streams["one"]
    assert found == stream("one", 1, 2)


def test_a_vacuum_does_not_keep_a_store_from_opening(
    postgres_database: str, postgres_store: EventStore, opened: Callable[[str], EventStore]
):
    postgres_store.append([event("one", 1)])
    another = soon(lambda: opened(postgres_database), postgres_database)
    another.append([event("one", 2)])
    assert len(postgres_store.tail(0, 10)) == 2


def test_a_table_that_an_earlier_build_did_not_have_is_made_when_the_next_store_opens(
    postgres_database: str, postgres_store: EventStore, opened: Callable[[str], EventStore]
):
    postgres_store.append([event("one", 1)])
    with psycopg.connect(postgres_database) as admin:
        admin.execute(
            "DROP TABLE positions, set_aside, store_server, views_trust, schema_migrations"
        )
    opened(postgres_database).advance("relay", 1)
    assert postgres_store.position("relay") == 1
    assert len(postgres_store.tail(0, 10)) == 1


def test_the_tail_goes_over_the_gaps_that_conflicts_leave(postgres_store: EventStore):
    postgres_store.append([event("one", 1)])
    for _ in range(3):
        with pytest.raises(Exception, match="duplicate key"):
            postgres_store.append([event("two", 1), event("one", 1)])
    postgres_store.append([event("two", 1)])
    first, second = postgres_store.tail(0, 10)
    assert second.position > first.position + 1
    assert postgres_store.tail(first.position, 10) == [second]


def test_what_the_url_says_beside_the_host_reaches_the_server(
    postgres_database: str, opened: Callable[[str], EventStore]
):
    store = opened(f"{postgres_database}?application_name=checkout%20tests")
    assert store.position("relay") == 0
    with psycopg.connect(postgres_database) as admin:
        names = admin.execute(
            "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
        ).fetchall()
    assert ("checkout tests",) in names


def test_a_key_that_postgres_cannot_hold_is_no_failure_of_the_database(postgres_store: EventStore):
    with pytest.raises(es.DataError, match="NUL"):
        postgres_store.append((), [outcome("kafka:\x00", "one")])
    postgres_store.append((), [outcome("kafka:", "one")])
