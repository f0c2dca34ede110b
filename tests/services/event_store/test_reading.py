"""Reading parts of streams, and whatever ids and texts there may be in them."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest

from domain.checkout import fold
from domain.events import (
    BuyerUpdated,
    Channel,
    CheckoutCanceled,
    Event,
    FulfillmentAddressUpdated,
    FulfillmentOptionSelected,
)
from services.event_store import EventStore
from services.event_store.recorder import StreamRange
from tests.services.event_store.samples import BY_KAFKA, buyer, event, outcome, stream

EVERY_CHARACTER = string.ascii_letters + string.digits + "_-"


def versions(store: EventStore, *ranges: StreamRange) -> dict[str, list[int]]:
    found = store.read((), ranges).streams
    return {name: [recorded.version for recorded in events] for name, events in found.items()}


def test_a_read_returns_only_what_is_after_the_version_that_is_known(store: EventStore):
    store.append([*stream("one", 1, 5), *stream("two", 1, 3)])
    asked = StreamRange("one", after=3), StreamRange("two")
    assert versions(store, *asked) == {"one": [4, 5], "two": [1, 2, 3]}


def test_a_stream_with_nothing_new_is_left_out(store: EventStore):
    store.append(stream("one", 1, 2))
    assert versions(store, StreamRange("one", after=2), StreamRange("none")) == {}


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [(0, 2, [1, 2]), (1, 3, [2, 3]), (3, 99, [4, 5]), (2, 2, None), (0, 0, None)],
)
def test_a_range_ends_with_its_last_version(store: EventStore, after, until, expected):
    store.append(stream("one", 1, 5))
    assert versions(store, StreamRange("one", after, until)).get("one") == expected


def test_asking_for_nothing_finds_nothing(store: EventStore):
    store.append(stream("one", 1, 1), [outcome("http:1", "one")])
    assert versions(store) == {}
    assert store.read((), ()).outcomes == {}


def test_a_stream_is_in_order_beyond_nine_versions(store: EventStore):
    store.append(stream("one", 1, 12))
    assert versions(store, StreamRange("one"))["one"] == list(range(1, 13))


def test_loading_folds_the_checkouts_that_are_there(store: EventStore):
    store.append([*stream("one", 1, 4), *stream("two", 1, 1)])
    asked = [StreamRange("one", until=3), StreamRange("two"), StreamRange("none")]
    assert store.load(asked) == {
        "one": fold(stream("one", 1, 3)),
        "two": fold(stream("two", 1, 1)),
    }


def test_an_id_may_have_every_allowed_character(store: EventStore):
    ids = [EVERY_CHARACTER, EVERY_CHARACTER.swapcase(), "a", "A", "_", "-", "--", "1", "01", "NULL"]
    store.append([event(checkout_id, 1) for checkout_id in ids])
    asked = [StreamRange(checkout_id) for checkout_id in (*ids, "a_", "%")]
    assert versions(store, *asked) == {checkout_id: [1] for checkout_id in ids}


@pytest.mark.parametrize(
    "text", ["👩‍👩‍👧 Zoë", "nul \x00 inside", "\x00", "\\u0000", "'; DROP", "\ufeff\u2028"]
)
def test_every_character_of_a_text_survives(store: EventStore, text: str):
    written = event("one", 2, buyer(text))
    store.append([event("one", 1), written])
    assert store.read((), [StreamRange("one", after=1)]).streams["one"] == [written]
    assert store.tail(1, 1)[0].recorded == written


@pytest.mark.parametrize("key", ["kafka:/zoë:👾", "http:'\"\\", "kafka:" + "k" * 300])
def test_an_outcome_is_found_by_whatever_key_its_publisher_chose(store: EventStore, key: str):
    written = outcome(key, "one")
    store.append((), [written])
    assert store.read([key, key + "x"], ()).outcomes == {key: written}


@pytest.mark.parametrize(
    "nothing",
    [
        BuyerUpdated(buyer=None),
        FulfillmentAddressUpdated(fulfillment_address=None),
        FulfillmentOptionSelected(fulfillment_option_id=None),
        CheckoutCanceled(reason=None, message=None),
    ],
    ids=lambda fact: fact.NAME,
)
def test_what_was_cleared_or_left_out_comes_back_so(store: EventStore, nothing: Event):
    by_http = BY_KAFKA.model_copy(update={"channel": Channel.HTTP, "traceparent": None})
    written = replace(event("one", 1, nothing), metadata=by_http)
    store.append([written])
    assert store.read((), [StreamRange("one")]).streams["one"] == [written]
