"""A row that this build can't read is never skipped: the error says which one it is."""

from __future__ import annotations

import orjson
import pytest
from eventsourcing.persistence import StoredEvent

from services.event_store import EventStore
from services.event_store.event_mapper import PydanticMapper, UnreadableEvent
from services.event_store.recorder import StreamRange
from tests.services.event_store.samples import event

GOOD = PydanticMapper().to_stored_event(event("one", 2))
STATE = orjson.loads(GOOD.state)


def without(name: str) -> bytes:
    return orjson.dumps({key: value for key, value in STATE.items() if key != name})


BROKEN = {
    "broken JSON": (GOOD.topic, GOOD.state[:-1]),
    "no JSON object": (GOOD.topic, b"[]"),
    "empty": (GOOD.topic, b""),
    "no UTF-8": (GOOD.topic, b'{"at": "\xff"}'),
    "no time": (GOOD.topic, without("at")),
    "no data": (GOOD.topic, without("data")),
    "no metadata": (GOOD.topic, without("meta")),
    "a time that is none": (GOOD.topic, orjson.dumps(STATE | {"at": "yesterday"})),
    "a time that is a number": (GOOD.topic, orjson.dumps(STATE | {"at": 1})),
    "a time without an offset": (GOOD.topic, orjson.dumps(STATE | {"at": "2026-11-21T12:00:00"})),
    "data of another event": (GOOD.topic, orjson.dumps(STATE | {"data": {"links": []}})),
}


@pytest.fixture(params=BROKEN.values(), ids=BROKEN.keys())
def broken(request: pytest.FixtureRequest, store: EventStore) -> EventStore:
    """A store whose checkout `one` has a version 2 that can't be read."""
    topic, state = request.param
    store.append([event("one", 1), event("two", 1)])
    store._recorder.insert_events([StoredEvent("one", 2, topic, state)])
    return store


def test_reading_a_broken_row_names_checkout_and_version(broken: EventStore):
    with pytest.raises(UnreadableEvent, match="one version 2"):
        broken.read((), [StreamRange("one")])


def test_the_tail_stops_at_a_broken_row_and_not_before(broken: EventStore):
    good = broken.tail(0, 2)
    assert [(row.recorded.checkout_id, row.recorded.version) for row in good] == [
        ("one", 1),
        ("two", 1),
    ]
    with pytest.raises(UnreadableEvent, match="one version 2"):
        broken.tail(good[-1].position, 1)


def test_what_is_before_and_beside_a_broken_row_stays_readable(broken: EventStore):
    asked = [StreamRange("one", until=1), StreamRange("two")]
    assert broken.read((), asked).streams == {"one": [event("one", 1)], "two": [event("two", 1)]}


def test_only_recorded_events_are_written(store: EventStore):
    with pytest.raises(TypeError, match="str is no recorded event"):
        store.append(["an event"])
