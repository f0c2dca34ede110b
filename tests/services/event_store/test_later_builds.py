"""What a later build wrote is read as far as this build knows it, and published as it is stored."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from eventsourcing.persistence import StoredEvent

from domain.events import FulfillmentAddressUpdated, RecordedEvent
from domain.values import Address
from services.event_store import EventStore
from services.event_store.event_mapper import PydanticMapper
from services.event_store.recorder import StreamRange
from services.messages.event_messages import event_message, structured_event
from tests.services.event_store.samples import event

ADDRESS = Address(
    name="John Doe",
    line_one="1 Main St",
    city="Los Angeles",
    state="CA",
    country="US",
    postal_code="90210",
)
MOVED = event("a", 2, FulfillmentAddressUpdated(fulfillment_address=ADDRESS))
LATER_DATA = {
    "fulfillment_address": ADDRESS.model_dump(mode="json") | {"door_code": "12#"},
    "verified": True,
    "nothing": None,
}
LATER_METADATA = {"api_version": "2027-01-01", "attempt": 3, "nothing": None, "actor": "/shop"}


def state_of(recorded: RecordedEvent, data: dict[str, Any], metadata: dict[str, Any]) -> bytes:
    """The row of an event with other data and more metadata."""
    state = orjson.loads(PydanticMapper().to_stored_event(recorded).state)
    return orjson.dumps(state | {"data": data, "meta": state["meta"] | metadata})


@pytest.fixture
def later(store: EventStore) -> EventStore:
    """A checkout whose version 2 has fields that only a later build knows."""
    store.append([event("a", 1)])
    state = state_of(MOVED, LATER_DATA, LATER_METADATA)
    store._recorder.insert_events([StoredEvent("a", 2, MOVED.topic, state)])
    return store


def test_unknown_fields_are_ignored_at_every_depth(later: EventStore):
    assert later.read((), [StreamRange("a")]).streams["a"] == [event("a", 1), MOVED]
    assert later.rows(1, 10)[0].event() == MOVED
    assert later.current(["a"])["a"].fulfillment_address == ADDRESS


def test_a_channel_of_a_later_build_is_kept(store: EventStore):
    store.append([event("a", 1)])
    data = MOVED.event.model_dump(mode="json")
    state = state_of(MOVED, data, {"door": "carrier-pigeon"})
    store._recorder.insert_events([StoredEvent("a", 2, MOVED.topic, state)])

    assert store.current(["a"])["a"].version == 2
    [row] = store.rows(1, 10)
    assert row.event().metadata.channel == "carrier-pigeon"
    assert row.content().metadata["door"] == "carrier-pigeon"


def test_the_message_has_the_data_as_stored(later: EventStore):
    message = event_message("events", later.rows(1, 10)[0])

    assert message.value == orjson.dumps(LATER_DATA)


def test_the_message_has_all_metadata(later: EventStore):
    headers = event_message("events", later.rows(1, 10)[0]).headers
    known = event_message("events", MOVED).headers

    assert sorted(set(headers) - set(known)) == [
        ("ce_apiversion", b"2027-01-01"),
        ("ce_attempt", b"3"),
    ]
    assert set(known) <= set(headers)


def test_a_page_of_events_shows_the_same(later: EventStore):
    shown = structured_event(later.rows(1, 10)[0])

    assert shown["data"] == LATER_DATA
    assert shown["apiversion"] == "2027-01-01"
    assert shown["dataschema"] == "urn:checkout:FulfillmentAddressUpdated:1"


@pytest.mark.parametrize("name", ["id", "type", "correlation_id_", "s_o_u_r_c_e", "____"])
def test_metadata_of_a_later_build_replaces_no_attribute(store: EventStore, name: str):
    state = state_of(MOVED, LATER_DATA, {name: "forged"})
    store._recorder.insert_events([StoredEvent("a", 2, MOVED.topic, state)])

    assert event_message("events", store.rows(0, 1)[0]).headers == (
        event_message("events", MOVED).headers
    )


def test_a_known_event_is_published_as_it_was_written(store: EventStore):
    store.append([event("a", 1), MOVED])

    for row in store.rows(0, 10):
        assert event_message("events", row) == event_message("events", row.event())
