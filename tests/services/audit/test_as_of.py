"""A checkout as it was at a version or a time, and what differs between two versions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.checkout import BrokenStream
from domain.values import Status
from projections.checkout_view import render
from services.audit.as_of import NotThere, as_of
from services.audit.differences import differences
from services.event_store import EventStore
from tests.services.audit.given import NOON, Shop, remove, whole_life


def test_each_version_is_shown_as_it_was(shop: Shop, store: EventStore):
    whole_life(shop)

    statuses = [as_of(store, "a", version).status for version in range(1, 14)]

    ready, paying = Status.READY_FOR_PAYMENT, Status.IN_PROGRESS
    assert statuses == [
        *[Status.NOT_READY_FOR_PAYMENT] * 7,
        *[ready, ready, paying, ready, paying, Status.COMPLETED],
    ]
    assert as_of(store, "a").version == 13


def test_a_time_takes_the_last_event_that_is_not_after_it(shop: Shop, store: EventStore):
    whole_life(shop)

    second = NOON + timedelta(minutes=2)
    just_before = second - timedelta(microseconds=1)
    assert as_of(store, "a", just_before).version == 3
    assert as_of(store, "a", second).version == 5
    assert as_of(store, "a", NOON + timedelta(days=1)).version == 13


@pytest.mark.parametrize(
    ("checkout_id", "moment", "told"),
    [
        ("b", None, "no checkout b"),
        ("b", 1, "no checkout b"),
        ("b", NOON, "no checkout b"),
        ("a", 14, "no version 14"),
        ("a", NOON, "not there yet"),
    ],
)
def test_what_was_not_there_is_said_so(
    shop: Shop, store: EventStore, checkout_id: str, moment, told: str
):
    whole_life(shop)
    with pytest.raises(NotThere, match=told):
        as_of(store, checkout_id, moment)


def test_nothing_is_made_up_behind_a_hole(shop: Shop, store: EventStore, database: str):
    whole_life(shop)
    remove(database, "a", 5)

    assert as_of(store, "a", 4).version == 4
    with pytest.raises(BrokenStream):
        as_of(store, "a", 6)


def test_two_versions_differ_in_fields_by_path(shop: Shop, store: EventStore):
    shop.create(item_123=2)
    shop.update(items=[{"id": "item_123", "quantity": 3}, {"id": "item_456", "quantity": 1}])

    found = differences(*(render(as_of(store, "a", version)) for version in (3, 5)))

    told = {it.path: it for it in found}
    assert told["$.line_items[item_123].item.quantity"].as_json() == {
        "path": "$.line_items[item_123].item.quantity",
        "old": 2,
        "new": 3,
    }
    assert told["$.totals[total].amount"].line() == "  $.totals[total].amount: 2000 → 3500"
    assert told["$.line_items[item_456]"].as_json().keys() == {"path", "new"}
    assert "$.status" not in told


DIFFERENCES = {
    "nothing": ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, []),
    "a field that is new": ({}, {"a": None}, ["+ $.a: null"]),
    "a field that is gone": ({"a": "é"}, {}, ['- $.a: "é"']),
    "a value": ({"a": 1}, {"a": "1"}, ['  $.a: 1 → "1"']),
    "a list without names": ({"a": [1, 2]}, {"a": [1, 3, 4]}, ["  $.a[1]: 2 → 3", "+ $.a[2]: 4"]),
    "a list with names that repeat": (
        [{"id": "x", "n": 1}, {"id": "x", "n": 2}],
        [{"id": "x", "n": 1}, {"id": "x", "n": 3}],
        ["  $[1].n: 2 → 3"],
    ),
    "another order": (
        [{"id": "x"}, {"id": "y"}],
        [{"id": "y"}, {"id": "x"}],
        ['  $[*]: ["x", "y"] → ["y", "x"]'],
    ),
    "another kind": ({"a": {"b": 1}}, {"a": [1]}, ['  $.a: {"b": 1} → [1]']),
}


@pytest.mark.parametrize(("old", "new", "told"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_differences_are_told_a_line_each(old, new, told):
    assert [it.line() for it in differences(old, new)] == told
