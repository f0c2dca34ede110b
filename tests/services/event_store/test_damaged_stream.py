"""A row that can't be read stops the readers of its own checkout only."""

from eventsourcing.persistence import StoredEvent

from services.event_store import EventStore
from tests.services.event_store.samples import event


def test_a_sweep_leaves_a_damaged_stream_out_and_goes_on(store: EventStore):
    store.append([event("one", 1), event("two", 1), event("three", 1)])
    store._recorder.insert_events([StoredEvent("two", 2, "BuyerUpdated:1", b"?")])

    _, checkouts = store.sweep(0, 100)

    assert {checkout.id for checkout in checkouts} == {"one", "three"}
    assert store.version("two") == 2
