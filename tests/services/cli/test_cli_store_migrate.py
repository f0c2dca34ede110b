"""`checkout store migrate`: what it prints, its exit status, and how services depend on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from services.event_store.migrations import MIGRATIONS
from tests.services.command_line import checkout
from tests.services.event_store.conftest import (
    database,
    initial,
    postgres_database,
    sqlite_database,
)

__all__ = ["database", "initial", "postgres_database", "sqlite_database"]

NEWEST = MIGRATIONS[-1].number
Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def migrate(database: str) -> Run:
    return lambda *options: checkout(
        "store", "migrate", *options, CHECKOUT_EVENT_STORE_URL=database
    )


@pytest.mark.usefixtures("initial")
def test_it_migrates_once_and_prints_what_it_did(migrate: Run):
    missing = migrate("--check")
    first, again, checked = migrate(), migrate("--json"), migrate("--check", "--json")

    assert (missing.returncode, first.returncode, again.returncode) == (1, 0, 0)
    assert missing.stdout.splitlines()[0] == "pending: 1 (initial schema)"
    assert missing.stdout.splitlines()[-1] == (
        f"The event store has schema version 0; {len(MIGRATIONS)} pending"
    )
    assert first.stdout.splitlines()[0] == "applied: 1 (initial schema)"
    assert json.loads(again.stdout) == {"schema": {"version": NEWEST, "applied": 0}}
    assert (checked.returncode, checked.stderr) == (0, "")
    assert json.loads(checked.stdout) == {"schema": {"version": NEWEST, "pending": 0}}


def test_each_migration_is_a_line_of_json(migrate: Run):
    lines = [json.loads(line) for line in migrate("--json").stdout.splitlines()]
    assert lines[0] == {"migration": 1, "name": "initial schema", "state": "applied"}
    assert lines[-1] == {"schema": {"version": NEWEST, "applied": len(MIGRATIONS)}}


def test_a_url_of_another_database_is_bad_usage():
    ended = checkout("store", "migrate", CHECKOUT_EVENT_STORE_URL="mysql://h/x")
    assert ended.returncode == 2
    assert "CHECKOUT_EVENT_STORE_URL must begin with" in ended.stderr


def test_a_check_creates_no_file(sqlite_database: str):
    ended = checkout("store", "migrate", "--check", CHECKOUT_EVENT_STORE_URL=sqlite_database)
    assert ended.returncode == 2
    assert "there is no file" in ended.stderr


def test_a_service_that_may_not_migrate_stops_with_the_command(initial: str):
    ended = checkout(
        "relay",
        CHECKOUT_EVENT_STORE_URL=initial,
        CHECKOUT_EVENT_STORE_MIGRATE="never",
        CHECKOUT_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
    )

    assert ended.returncode == 1
    assert "checkout store migrate" in ended.stderr.splitlines()[-1]


def test_an_audit_migrates_nothing(initial: str):
    ended = checkout("audit", "verify", CHECKOUT_EVENT_STORE_URL=initial)
    assert ended.returncode == 1
    assert "checkout store migrate" in ended.stderr
