"""Going once through all checkouts of the store, each as it is now."""

from __future__ import annotations

from domain.checkout import fold
from services.event_store import EventStore
from tests.services.event_store.samples import event, stream


def sweep_all(store: EventStore, limit: int):
    position, found = 0, []
    while True:
        after, checkouts = store.sweep(position, limit)
        if after == position:
            assert checkouts == []
            return found
        position = after
        found += checkouts


def test_a_sweep_finds_each_checkout_once_with_all_its_events(store: EventStore):
    for number in range(5):
        store.append(stream(f"checkout-{number}", 1, number + 1))
    store.append([event("checkout-0", 2)])
    expected = [fold(stream(f"checkout-{number}", 1, max(2, number + 1))) for number in range(5)]
    for limit in (1, 2, 3, 100):
        found = sweep_all(store, limit)
        assert sorted(found, key=lambda checkout: checkout.id) == expected


def test_a_sweep_of_an_empty_store_stays_where_it_is(store: EventStore):
    assert store.sweep(0, 100) == (0, [])
    assert store.sweep(7, 100) == (7, [])
