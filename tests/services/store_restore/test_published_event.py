"""An event that is imported from Kafka is stored as it was, byte for byte."""

from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from domain.events import EVENTS, Channel, Metadata, RecordedEvent
from services.event_store.event_mapper import PydanticMapper
from services.event_store.stored_row import StoredRow
from services.messages.event_messages import event_message
from services.store_restore.published_event import NotAnEvent, stored_event_of
from tests.services.event_store.examples import EXAMPLES
from tests.services.event_store.golden import path_of, row_of
from tests.services.event_store.samples import AT, event

ENDS_A_PAYMENT = ("PaymentDeclined:1", "CheckoutCompleted:1")


def record_of(recorded: RecordedEvent | StoredRow, **headers: bytes | None) -> Any:
    """The record that the relay publishes, with some headers replaced, or left out if None."""
    message = event_message("checkout.events", recorded)
    kept = {**dict(message.headers), **headers}
    present = [(name, value) for name, value in kept.items() if value is not None]
    return SimpleNamespace(key=message.key, value=message.value, headers=present)


def metadata(channel: Channel, actor: str) -> Metadata:
    return Metadata(
        channel=channel,
        actor=actor,
        command_source="/shop",
        command_id="command é 1",
        correlation_id="request-1",
    )


@pytest.mark.parametrize("topic", EVENTS)
@pytest.mark.parametrize(("channel", "actor"), [("kafka", "/shop"), ("http", "a key")])
def test_each_event_is_stored_again_as_it_was(topic: str, channel: str, actor: str):
    channel = "internal" if topic in ENDS_A_PAYMENT else channel
    recorded = RecordedEvent("a", 7, AT, EXAMPLES[topic].event, metadata(Channel(channel), actor))
    at, stored = stored_event_of(record_of(recorded))
    assert at == AT
    assert stored == PydanticMapper().to_stored_event(recorded)


def test_an_event_in_a_version_that_is_not_recorded_any_more_is_stored_again_in_that_version():
    row = row_of(orjson.loads(path_of("CheckoutPriced:1").read_bytes()))
    _, stored = stored_event_of(record_of(row))
    assert stored.topic == "CheckoutPriced:1"
    assert orjson.loads(stored.state)["data"] == row.content().data


def test_the_channel_on_the_record_is_taken_if_there_is_one():
    recorded = RecordedEvent("a", 1, AT, event("a", 1).event, metadata(Channel.HTTP, "/shop"))
    _, stored = stored_event_of(record_of(recorded, ce_channel=b"http"))
    assert stored == PydanticMapper().to_stored_event(recorded)


def test_an_event_of_a_later_build_is_stored_with_all_its_data():
    record = record_of(event("a", 3), ce_dataschema=b"urn:checkout:GiftWrapped:1")
    record.value = b'{"paper": "blue"}'
    _, stored = stored_event_of(record)
    assert (stored.topic, stored.originator_version) == ("GiftWrapped:1", 3)
    assert orjson.loads(stored.state)["data"] == {"paper": "blue"}


def test_metadata_of_a_later_build_is_stored_and_published_again_under_its_name():
    _, stored = stored_event_of(record_of(event("a", 3), ce_mandate=b"m-1", unrelated=b"x"))
    known = orjson.loads(PydanticMapper().to_stored_event(event("a", 3)).state)["meta"]
    assert orjson.loads(stored.state)["meta"] == known | {"mandate": "m-1"}


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce_sequence", b"3"),
        ("ce_time", b"yesterday"),
        ("ce_dataschema", b"urn:other:1"),
        ("ce_actor", None),
        ("ce_correlationid", b"\xff"),
    ],
)
def test_a_record_that_is_no_event_is_rejected(header: str, value: bytes | None):
    with pytest.raises(NotAnEvent):
        stored_event_of(record_of(event("a", 3), **{header: value}))
