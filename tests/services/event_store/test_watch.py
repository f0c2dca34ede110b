"""Whoever watches is woken by each commit of events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from services.event_store import EventStore
from tests.eventually import eventually
from tests.services.event_store.samples import event, outcome


@contextmanager
def watching(store: EventStore) -> Iterator[threading.Event]:
    """Set at each wake; PostgreSQL's listener wakes once when it begins to listen."""
    woken = threading.Event()
    end = store.watch(woken.set)
    try:
        yield woken
    finally:
        end()


def test_a_commit_wakes_its_own_process(store: EventStore):
    with watching(store) as woken:
        store.append([event("one", 1)])
        assert woken.wait(5)


def test_each_commit_wakes_again(store: EventStore):
    with watching(store) as woken:
        for version in (1, 2, 3):
            woken.clear()
            store.append([event("one", version)])
            assert woken.wait(5)


def test_an_outcome_alone_calls_nobody(store: EventStore):
    called: list[str] = []
    store.on_commit(lambda: called.append("called"))
    store.append((), [outcome("http:1", "one")])
    assert called == []
    store.append([event("one", 1)])
    assert called == ["called"]


def test_a_watch_that_has_ended_is_called_no_more(store: EventStore):
    with watching(store) as woken:
        store.append([event("one", 1)])
        assert woken.wait(5)
    eventually(lambda: not listeners())
    woken.clear()
    store.append([event("one", 2)])
    assert not woken.is_set()


def listeners() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "listen"]


def test_on_postgres_a_commit_elsewhere_wakes_too(
    postgres_database: str, opened: Callable[[str], EventStore]
):
    watched, other = opened(postgres_database), opened(postgres_database)
    with watching(watched) as woken:
        assert woken.wait(5), "the listener did not begin to listen"
        woken.clear()
        other.append([event("one", 1)])
        assert woken.wait(5)


def test_on_postgres_a_watch_outlives_its_connection(
    postgres_database: str, opened: Callable[[str], EventStore]
):
    watched, other = opened(postgres_database), opened(postgres_database)
    with watching(watched) as woken:
        assert woken.wait(5)
        with psycopg.connect(postgres_database, autocommit=True) as admin:
            ended = admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE query LIKE 'LISTEN %' AND datname = current_database()"
            ).fetchall()
        assert ended == [(True,)]
        woken.clear()
        assert woken.wait(10), "the listener did not come back"
        woken.clear()
        other.append([event("one", 1)])
        assert woken.wait(5)
