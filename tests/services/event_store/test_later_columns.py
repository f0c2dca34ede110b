"""A column that a later build adds to any table breaks nothing in this one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import psycopg
import pytest

from domain.rejection import invalid
from projections.redis.trust import TrustState
from services.event_store import EventStore
from services.event_store.payment_attempts import AttemptState
from services.event_store.publication import Publication, PublishedEvent
from services.event_store.recorder import StreamRange
from tests.services.event_store.samples import NOW, event, outcome
from tests.services.event_store.test_attempts import STARTED, attempt, settle, start

TABLES = (
    "stored_events",
    "outcomes",
    "positions",
    "payment_attempts",
    "lineage",
    "publication",
    "store_server",
    "write_guard",
    "schema_migrations",
    "set_aside",
    "views_trust",
)


def execute(database: str, *statements: str) -> list[tuple[str, ...]]:
    """Run statements as another process would; returns the rows of the last one."""
    if database.startswith("postgresql:"):
        with psycopg.connect(database) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []
    connection = sqlite3.connect(database.removeprefix("sqlite:///"))
    with connection:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
    connection.close()
    return rows


def add_columns(database: str) -> None:
    execute(
        database,
        *(f"ALTER TABLE {table} ADD COLUMN later text NOT NULL DEFAULT 'x'" for table in TABLES),
    )


def test_these_are_all_tables(store: EventStore, database: str):
    schema = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        if database.startswith("postgresql:")
        else "SELECT name FROM sqlite_schema WHERE type = 'table'"
    )
    assert {name for (name,) in execute(database, schema)} == set(TABLES)


@pytest.fixture(params=["opened before", "opened after"])
def later(
    request: pytest.FixtureRequest,
    store: EventStore,
    database: str,
    opened: Callable[[str], EventStore],
) -> EventStore:
    """A store of this build whose tables a later build has extended: while it ran, or before it started."""
    store.append([event("old", 1)], [outcome("kafka:old", "old")])
    store.read(["kafka:old"], [StreamRange("old")])
    store.advance("relay", 1)
    add_columns(database)
    return store if request.param == "opened before" else opened(database)


def test_events_and_outcomes_are_written_and_read(later: EventStore):
    rejected = outcome("kafka:no", "new", 0, invalid("no", "$.items"))
    later.append([event("new", 1), event("new", 2)], [outcome("kafka:yes", "new", 2), rejected])

    found = later.read(
        ["kafka:old", "kafka:yes", "kafka:no"], [StreamRange("old"), StreamRange("new")]
    )

    assert found.streams == {"old": [event("old", 1)], "new": [event("new", 1), event("new", 2)]}
    assert found.outcomes == {
        "kafka:old": outcome("kafka:old", "old"),
        "kafka:yes": outcome("kafka:yes", "new", 2),
        "kafka:no": rejected,
    }
    assert [item.recorded.checkout_id for item in later.tail(0, 10)] == ["old", "new", "new"]
    assert [row.version for row in later.stream_rows("", 0, 10)] == [1, 2, 1]
    assert later.stream_rows("new", 1, 10, within=True)[0].event() == event("new", 2)
    assert later.version("new") == 2
    assert later.purge_outcomes(NOW * 2) == 1


def test_positions_and_lineage(later: EventStore):
    later.advance("relay", 7)
    later.advance("other", 3)

    assert (later.position("relay"), later.position("other")) == (7, 3)
    later.rewind("relay")
    assert later.position("relay") == 0
    before = later.lineage()
    assert later.begin_epoch().epoch > before.epoch


def test_the_relays_position_and_the_write_guard(later: EventStore):
    before = later.publication.read()
    after = Publication(5, PublishedEvent(5, "old", 1), "checkout.events", {0: 5})

    assert later.publication.advance(before, after)
    assert later.publication.read() == after
    later.write_guard.stop("restored")
    assert later.write_guard.reason() == "restored"
    later.write_guard.release(after, begin_epoch=True)
    later.append([event("new", 1)])
    assert later.write_guard.reason() is None


async def test_the_trusted_redis_server(later: EventStore):
    for number, state in enumerate((TrustState.DISTRUSTED, TrustState.RETURNING), 1):
        assert await later.views_trust.move(await later.views_trust.latest(), state, "run id")
        trust = later.views_trust.read_again()
        assert (trust.run_id, trust.state, trust.change) == ("run id", state, number)


def test_payment_attempts(later: EventStore):
    begun = start(later)
    [claimed] = later.attempts.claim("worker", NOW + 0.0, 30.0, 10)

    assert claimed.attempt_id == STARTED.attempt_id
    assert later.attempts.get(STARTED.attempt_id) == claimed
    assert later.attempts.page([AttemptState.OPEN]) == [claimed]
    assert later.attempts.release(claimed, NOW + 1.0, "again")
    settle(later)
    ended = later.attempts.get(STARTED.attempt_id)
    assert ended is not None
    assert (ended.state, ended.metadata) == (AttemptState.SETTLED, begun.metadata)
    later.append([event("free", 1)], side_rows=[attempt("other")])
    assert later.attempts.hold("attempt_other", NOW + 0.0)
