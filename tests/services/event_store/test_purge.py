"""Which outcomes are forgotten, and when."""

from __future__ import annotations

from domain.rejection import invalid
from services.event_store import EventStore
from tests.services.event_store.samples import CANCELED, DAY, NOW, event, outcome, stream

REFUSED = invalid("no such item")


def test_a_purge_deletes_only_what_no_repeat_can_need(store: EventStore):
    week, old = NOW - 7 * DAY, NOW - 7 * DAY - 1
    store.append([*stream("open", 1, 2), *stream("closed", 1, 2), event("closed", 3, CANCELED)])
    kept = [
        outcome("young rejection", "open", 0, REFUSED, week),
        outcome("young, of a closed one", "closed", 1, None, week),
        outcome("old, of an open one", "open", 1, None, old),
        outcome("old, of none at all", "none", 1, None, old),
        outcome("old, a declined payment of an open one", "open", 2, REFUSED, old),
    ]
    deleted = [
        outcome("old rejection", "open", 0, REFUSED, old),
        outcome("old rejection of none at all", "none", 0, REFUSED, old),
        outcome("old, of a closed one", "closed", 1, None, old),
        outcome("old, the one that closed it", "closed", 3, None, old),
        outcome("old, a declined payment of a closed one", "closed", 2, REFUSED, old),
    ]
    store.append((), [*kept, *deleted])
    assert store.purge_outcomes(NOW + 0.9) == len(deleted)
    left = store.read([o.key for o in (*kept, *deleted)], ()).outcomes
    assert left == {o.key: o for o in kept}
    assert store.purge_outcomes(NOW) == 0


def test_a_purge_stops_at_its_limit_and_goes_on_the_next_time(store: EventStore):
    store.append((), [outcome(f"http:{n}", "one", 0, REFUSED, NOW - 30 * DAY) for n in range(5)])
    assert [store.purge_outcomes(NOW, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_a_purge_leaves_the_events(store: EventStore):
    events = [event("one", 1), event("one", 2, CANCELED)]
    store.append(events, [outcome("http:1", "one", 2, None, 0)])
    assert store.purge_outcomes(NOW) == 1
    assert [row.recorded for row in store.tail(0, 10)] == events
