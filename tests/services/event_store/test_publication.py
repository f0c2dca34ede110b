"""How far the relay has published: moved forward by the relay only from where it read it."""

from services.event_store import EventStore
from services.event_store.publication import Publication, PublishedEvent
from tests.services.event_store.conftest import OpenStore

FIRST = Publication(3, PublishedEvent(3, "a", 2), "checkout.events", {0: 5, 11: 7})


def test_nothing_is_published_at_first(store: EventStore):
    assert store.publication.read() == Publication()


def test_what_was_recorded_is_read_by_another_process(open_another: OpenStore):
    assert open_another().publication.advance(Publication(), FIRST)
    other = open_another()
    assert other.publication.read() == FIRST
    assert other.position("relay") == 3


def test_it_moves_only_from_the_position_that_was_read(store: EventStore):
    later = Publication(9, PublishedEvent(9, "b", 1), "checkout.events", {0: 8})
    store.publication.advance(Publication(), FIRST)
    assert not store.publication.advance(Publication(), later)
    assert not store.publication.advance(Publication(2), later)
    assert store.publication.read() == FIRST
    assert store.publication.advance(FIRST, later)
    assert store.publication.read() == later


def test_a_restart_wins_over_a_batch_that_was_being_published(store: EventStore):
    store.publication.advance(Publication(), FIRST)
    restarted = Publication(1, topic="checkout.events", ends={0: 0})
    store.publication.restart(restarted)
    assert not store.publication.advance(FIRST, Publication(9, topic="checkout.events"))
    assert store.publication.read() == restarted


def test_a_restart_at_the_beginning_knows_the_topic_that_it_is_given(store: EventStore):
    store.publication.advance(Publication(), FIRST)
    for restarted in (Publication(0, topic="checkout.events", ends={0: 9}), Publication()):
        store.publication.restart(restarted)
        assert store.publication.read() == restarted


def test_a_position_that_an_older_build_recorded_has_no_event_and_no_topic(store: EventStore):
    store.advance("relay", 4)
    assert store.publication.read() == Publication(4)
