"""The version of a checkout is told whatever its events say, for a fault may lie in reading them."""

from eventsourcing.persistence import StoredEvent

from services.event_store import EventStore
from tests.services.event_store.samples import stream


def test_the_version_is_the_last_events(store: EventStore):
    store.append([*stream("one", 1, 5), *stream("two", 1, 3)])

    assert (store.version("one"), store.version("two")) == (5, 3)


def test_a_checkout_that_is_not_there_is_at_version_0(store: EventStore):
    assert store.version("none") == 0


def test_an_event_that_can_not_be_read_counts(store: EventStore):
    store.append(stream("one", 1, 2))
    store._recorder.insert_events([StoredEvent("one", 3, "Teleported:1", b"?")])

    assert store.version("one") == 3
