"""Every event that was ever written is read to the same event, whatever has become of the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from domain.countries import COUNTRIES
from domain.events import EVENTS, PUBLISHED_EVENTS, FulfillmentAddressUpdated
from services.event_store.upcasters import UPCASTERS
from services.messages.event_messages import event_message
from tests.services.event_store.examples import EXAMPLES
from tests.services.event_store.golden import FOLDER, decode, encode, path_of, row_of

FILES = sorted(FOLDER.iterdir())


@pytest.fixture(params=FILES, ids=[file.name for file in FILES])
def file(request: pytest.FixtureRequest) -> Path:
    return request.param


def read(file: Path) -> dict[str, Any]:
    return orjson.loads(file.read_bytes())


def test_a_golden_file_is_read_to_the_event_that_was_written(file: Path):
    golden = read(file)
    assert decode(golden) == EXAMPLES[golden["topic"]]


def test_a_golden_file_of_a_current_version_is_written_again_as_the_same_json(file: Path):
    golden = read(file)
    if golden["topic"] in EVENTS:
        assert encode(decode(golden)) == golden


def test_a_golden_file_is_published_with_the_data_and_the_version_that_was_written(file: Path):
    golden = read(file)
    sent = event_message("events", row_of(golden))
    assert orjson.loads(sent.value) == golden["state"]["data"]
    assert dict(sent.headers)["ce_dataschema"].decode() == f"urn:checkout:{golden['topic']}"


def test_a_golden_file_is_named_after_its_topic(file: Path):
    assert path_of(read(file)["topic"]) == file


def test_every_topic_has_a_golden_file_and_every_golden_file_a_topic():
    topics = {*EVENTS, *UPCASTERS}
    assert {read(file)["topic"] for file in FILES} == topics == set(PUBLISHED_EVENTS)
    assert {path_of(topic) for topic in topics} == set(FILES)


def test_a_golden_file_has_every_field_that_can_be_told_of_its_event(file: Path):
    golden = read(file)
    assert set(golden["state"]["data"]) == set(PUBLISHED_EVENTS[golden["topic"]].model_fields)
    assert all(value is not None for value in golden["state"]["data"].values())
    assert set(golden["state"]["meta"]) == {
        "door",
        "actor",
        "command_source",
        "command_id",
        "correlation_id",
        "traceparent",
    }


def test_an_address_in_a_country_that_is_none_any_more_stays_readable():
    golden = read(path_of(FulfillmentAddressUpdated.topic()))
    country = golden["state"]["data"]["fulfillment_address"]["country"]
    assert country not in COUNTRIES
    assert decode(golden).event.fulfillment_address.country == country
