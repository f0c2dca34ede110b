"""Every event that was ever written is read to the same event, whatever has become of the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from domain.countries import COUNTRIES
from domain.events import EVENTS, FulfillmentAddressUpdated
from tests.services.event_store.examples import EXAMPLES
from tests.services.event_store.golden import FOLDER, decode, encode, path_of

FILES = sorted(FOLDER.iterdir())


@pytest.fixture(params=FILES, ids=[file.name for file in FILES])
def file(request: pytest.FixtureRequest) -> Path:
    return request.param


def read(file: Path) -> dict[str, Any]:
    return orjson.loads(file.read_bytes())


def test_a_golden_file_is_read_to_the_event_that_was_written(file: Path):
    golden = read(file)
    assert decode(golden) == EXAMPLES[golden["topic"]]


def test_a_golden_file_is_written_again_as_the_same_json(file: Path):
    golden = read(file)
    assert encode(decode(golden)) == golden


def test_a_golden_file_is_named_after_its_topic(file: Path):
    assert path_of(read(file)["topic"]) == file


def test_every_topic_has_a_golden_file_and_every_golden_file_a_topic():
    assert {read(file)["topic"] for file in FILES} == set(EVENTS)
    assert {path_of(topic) for topic in EVENTS} == set(FILES)


def test_a_golden_file_has_every_field_that_can_be_told_of_its_event(file: Path):
    golden = read(file)
    assert set(golden["state"]["data"]) == set(EVENTS[golden["topic"]].model_fields)
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
