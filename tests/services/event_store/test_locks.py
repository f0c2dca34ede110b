"""A name has one holder at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg

from services.event_store import EventStore
from tests.services.event_store.conftest import OpenStore


def test_a_lock_has_one_holder_also_within_a_store(open_another: OpenStore):
    first, second = open_another(), open_another()
    is_held = first.try_lock("relay")
    assert is_held is not None
    assert is_held()
    assert first.try_lock("relay") is None
    assert second.try_lock("relay") is None
    assert is_held()


def test_another_name_is_another_lock(open_another: OpenStore):
    first, second = open_another(), open_another()
    assert first.try_lock("relay")
    assert second.try_lock("projector")


def test_closing_lets_go_of_the_lock(open_another: OpenStore):
    first, second = open_another(), open_another()
    is_held = first.try_lock("relay")
    first.close()
    assert not is_held()
    assert second.try_lock("relay")


def test_of_many_who_try_at_once_one_gets_the_lock(open_another: OpenStore):
    stores = [open_another() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = [lock for lock in pool.map(lambda store: store.try_lock("relay"), stores) if lock]
    assert len(won) == 1
    assert won[0]()


def test_a_holder_learns_that_its_connection_and_its_lock_are_lost(
    postgres_database: str, postgres_store: EventStore
):
    is_held = postgres_store.try_lock("relay")
    with psycopg.connect(postgres_database, autocommit=True) as admin:
        ended = admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"
        ).fetchall()
    assert ended == [(True,)]
    assert not is_held()
    assert postgres_store.try_lock("relay")
