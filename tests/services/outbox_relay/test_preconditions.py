"""The relay notices that its store or its topic is not the one that it published from or to."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.event_store import EventStore, open_store
from services.event_store.publication import Publication, PublishedEvent
from services.outbox_relay.preconditions import position_problem, topic_problem
from tests.services.event_store.samples import stream

TOPIC = "checkout.events"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


@pytest.fixture
def store(file: Path) -> Iterator[EventStore]:
    store = open_store(f"sqlite:///{file}")
    store.append(stream("a", 1, 6))
    yield store
    store.close()


def forget(file: Path, after: int) -> None:
    """Delete the events after a position, as a restore does; SQLite gives their positions out again."""
    with sqlite3.connect(file) as database:
        database.execute("DELETE FROM stored_events WHERE rowid > ?", [after])
    database.close()


def problem_of(store: EventStore, publication: Publication) -> str | None:
    """The problem of a relay that has published that far."""
    store.publication.restart(publication)
    return position_problem(store.publication.state())


def published(position: int, version: int) -> Publication:
    return Publication(position, PublishedEvent(position, "a", version), TOPIC, {0: 6})


def test_a_store_with_the_last_published_event_is_fine(store: EventStore):
    assert problem_of(store, Publication()) is None
    assert problem_of(store, published(6, 6)) is None
    assert problem_of(store, published(4, 4)) is None


def test_a_position_ahead_of_the_store_is_reported_with_both_positions(
    store: EventStore, file: Path
):
    forget(file, 4)
    problem = problem_of(store, published(6, 6)) or ""
    assert "position 6 is ahead of the store's newest event at 4" in problem
    assert "`checkout store restored`" in problem
    assert "`checkout events republish --from POSITION`" in problem


def test_a_position_that_is_another_event_now_is_reported(store: EventStore, file: Path):
    forget(file, 4)
    store.append(stream("b", 1, 3))
    problem = problem_of(store, published(6, 6)) or ""
    assert "at position 6 the relay published a version 6" in problem
    assert "newest event is at 7, has b version 2 there" in problem


def test_a_position_whose_event_is_gone_is_reported(store: EventStore, file: Path):
    with sqlite3.connect(file) as database:
        database.execute("DELETE FROM stored_events WHERE rowid = 3")
    database.close()
    assert "has no event there" in (problem_of(store, published(3, 3)) or "")


def test_a_position_that_an_operator_chose_only_has_to_be_in_the_store(store: EventStore):
    assert problem_of(store, Publication(5)) is None
    assert problem_of(store, Publication(7)) is not None


def test_a_topic_that_ends_where_it_ended_or_later_is_fine():
    known = Publication(9, None, TOPIC, {0: 5, 2: 4})
    assert topic_problem(known, TOPIC, {0: 5, 1: 0, 2: 9}) is None


@pytest.mark.parametrize("ends", [{0: 5, 1: 0, 2: 3}, {0: 5, 1: 0}, {}])
def test_a_topic_that_ends_before_what_was_published_is_reported(ends: dict[int, int]):
    problem = topic_problem(Publication(9, None, TOPIC, {0: 5, 2: 4}), TOPIC, ends) or ""
    assert TOPIC in problem
    assert "`checkout events republish`" in problem


def test_an_empty_topic_that_was_never_published_to_is_reported():
    for known in (Publication(9), Publication(9, None, "old.events", {0: 5})):
        assert "is empty" in (topic_problem(known, TOPIC, {0: 0, 1: 0}) or "")
        assert topic_problem(known, TOPIC, {0: 0, 1: 3}) is None


def test_before_the_first_event_any_topic_is_fine():
    assert topic_problem(Publication(), TOPIC, {0: 0}) is None
