"""The streams that the relay has set aside are kept with its position, in one transaction."""

from dataclasses import replace

from services.event_store import EventStore
from services.event_store.publication import Publication
from services.event_store.set_aside import SetAside
from tests.services.event_store.conftest import OpenStore

ONE = SetAside("one", 5, 50, "one version 5: no JSON", 1_795_264_215.5)
TWO = SetAside("two", 2, 49, "two version 2: no JSON", 1_795_264_216.5)


def test_they_are_recorded_with_the_position(store: EventStore, open_another: OpenStore):
    assert store.set_aside.all() == []
    assert store.publication.advance(Publication(), Publication(60), [TWO.put(), ONE.put()])
    other = open_another()
    assert other.set_aside.all() == [ONE, TWO]
    state = other.publication.state()
    assert (state.publication, state.set_aside) == (Publication(60), 2)


def test_they_are_not_recorded_if_the_position_was_changed_meanwhile(store: EventStore):
    assert store.publication.advance(Publication(), Publication(60), [ONE.put()])
    assert not store.publication.advance(Publication(59), Publication(70), [TWO.put()])
    assert store.set_aside.all() == [ONE]


def test_one_that_moved_keeps_its_time(store: EventStore):
    assert store.publication.advance(Publication(), Publication(60), [ONE.put()])
    moved = replace(ONE, version=7, position=58, reason="one version 7: no JSON", since=9e9)
    assert store.publication.advance(Publication(60), Publication(60), [moved.put()])
    assert store.set_aside.all() == [replace(moved, since=ONE.since)]


def test_one_is_taken_up_once(store: EventStore):
    assert store.publication.advance(Publication(), Publication(60), [ONE.put(), TWO.put()])
    assert store.publication.advance(Publication(60), Publication(60), [ONE.remove()])
    assert store.set_aside.all() == [TWO]
    assert not store.publication.advance(Publication(60), Publication(61), [ONE.remove()])
    assert store.publication.read().position == 60
