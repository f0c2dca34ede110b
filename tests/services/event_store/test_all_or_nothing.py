"""Events and the outcomes of their commands are written together or not at all."""

from __future__ import annotations

import pytest

from domain.rejection import Rejection, RejectionCode, invalid
from services.event_store import Conflict, EventStore
from services.event_store.recorder import StreamRange
from tests.services.event_store.conftest import OpenStore
from tests.services.event_store.samples import CANCELED, buyer, event, outcome, stream


def everything(store: EventStore):
    """All keys of outcomes asked for by these tests, and all events."""
    found = store.read(["http:1", "http:2"], ()).outcomes
    return found, [row.recorded for row in store.tail(0, 1000)]


def test_events_and_outcomes_come_back_as_they_were_written(store: EventStore):
    events, outcomes = stream("one", 1, 3), [outcome("http:1", "one", 3)]
    store.append(events, outcomes)
    snapshot = store.read(["http:1", "http:2"], [StreamRange("one"), StreamRange("two")])
    assert snapshot.outcomes == {"http:1": outcomes[0]}
    assert snapshot.streams == {"one": events}


def test_a_conflict_on_an_outcome_leaves_no_event(store: EventStore):
    store.append((), [outcome("http:1", "one", 0, invalid("no such item"))])
    with pytest.raises(Conflict):
        store.append(
            stream("two", 1, 2), [outcome("http:2", "two", 2), outcome("http:1", "two", 2)]
        )
    outcomes, events = everything(store)
    assert list(outcomes) == ["http:1"]
    assert events == []


def test_a_conflict_on_an_event_leaves_no_outcome_and_no_other_event(store: EventStore):
    store.append([event("one", 1)])
    with pytest.raises(Conflict):
        store.append([event("two", 1), event("one", 1, CANCELED)], [outcome("http:1", "two")])
    assert everything(store) == ({}, [event("one", 1)])


def test_a_second_writer_of_a_version_gets_a_conflict(open_another: OpenStore):
    first, second = open_another(), open_another()
    first.append(stream("one", 1, 1))
    first.append([event("one", 2, buyer("first"))])
    with pytest.raises(Conflict):
        second.append([event("one", 2, buyer("second"))])
    found = second.read((), [StreamRange("one")]).streams["one"]
    assert [recorded.event for recorded in found][1:] == [buyer("first")]


def test_a_store_goes_on_after_a_conflict(store: EventStore):
    for version in (1, 2):
        store.append([event("one", version)], [outcome(f"http:{version}", "one", version)])
        with pytest.raises(Conflict):
            store.append([event("one", version)])
    outcomes, events = everything(store)
    assert set(outcomes) == {"http:1", "http:2"}
    assert events == stream("one", 1, 2)


def test_writing_nothing_is_no_error(store: EventStore):
    store.append(())
    assert everything(store) == ({}, [])


@pytest.mark.parametrize(
    "rejection",
    [
        Rejection(RejectionCode.NOT_FOUND, "there is no checkout one"),
        invalid("must be at most 10,000", "$.items[0].quantity"),
        invalid('has "quotes", a 🧾 and a \x00', "$.buyer['first name']"),
    ],
)
def test_a_rejection_comes_back_equal(store: EventStore, rejection: Rejection):
    refused = outcome("http:1", "one", 0, rejection)
    store.append((), [refused])
    assert store.read(["http:1"], ()).outcomes["http:1"] == refused
