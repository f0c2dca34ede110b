"""What is wrong within the store alone: each kind of it is found, and what is right is passed over."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from services.audit.streams import portions_of
from services.event_store import EventStore
from tests.services.audit.given import (
    JANE,
    LOS_ANGELES,
    Shop,
    change,
    items,
    remove,
    sql,
    whole_life,
)


def found(store: EventStore, *checkout_ids: str) -> list[str]:
    return [
        violation.line()
        for portion in portions_of(store, checkout_ids)
        for violation in portion.violations
    ]


def test_what_went_through_the_rules_is_whole(shop: Shop, store: EventStore):
    whole_life(shop)
    shop.create("b")
    shop.update("b", items=[])
    shop.update("b", fulfillment_address=LOS_ANGELES, items=items(item_456=7))
    shop.update("b", fulfillment_address=None, buyer=JANE)
    shop.cancel("b")

    assert found(store) == []
    assert found(store, "a", "b") == []


@pytest.mark.parametrize("size", [1, 2, 5, 13])
def test_checkouts_are_folded_whole_wherever_a_page_ends(
    shop: Shop, store: EventStore, monkeypatch: pytest.MonkeyPatch, size: int
):
    monkeypatch.setattr("services.audit.streams.PAGE", size)
    for checkout_id in ("b", "a", "c"):
        whole_life(shop, checkout_id)

    portions = list(portions_of(store))

    told = {checkout.id: checkout for portion in portions for checkout in portion.checkouts}
    assert told == store.current(["a", "b", "c"])
    assert sum(len(portion.events) for portion in portions) == 39
    assert not any(portion.violations for portion in portions)


AMOUNTS: dict[str, tuple[int, tuple[Any, ...], Any, str]] = {
    "a line's base": (2, ("line_items", 0, "base_amount"), 1, "base 1 - discount 0"),
    "a line's discount": (2, ("line_items", 0, "discount"), 2, "discount 2"),
    "a line's subtotal": (2, ("line_items", 0, "subtotal"), 1, "subtotal 1"),
    "a line's tax": (2, ("line_items", 0, "tax"), 1, "tax 1"),
    "a line's total": (2, ("line_items", 0, "total"), 1, "total 1"),
    "a line's quantity": (2, ("line_items", 0, "item", "quantity"), 3, "multiple of its quantity"),
    "a line's item": (2, ("line_items", 0, "item", "id"), "item_456", "is of item item_456"),
    "an option's price": (8, ("fulfillment_options", 0, "subtotal"), 1, "shipping_fast"),
    "an option's tax": (8, ("fulfillment_options", 0, "tax"), 1, "shipping_fast"),
    "the subtotal": (5, ("totals", 0, "amount"), 3000, "the total is 3500, and its parts"),
    "the fulfillment": (8, ("totals", 1, "amount"), 0, "the total is 3750, and its parts"),
    "the tax": (8, ("totals", 2, "amount"), 99, "the total is 3750, and its parts"),
    "the total": (8, ("totals", 3, "amount"), 1, "the total is 1, and its parts come to 3750"),
    "the order's flat tax": (
        8,
        ("order_tax",),
        99,
        "the tax is 100, and the lines, the option and",
    ),
    "a selected option": (8, ("fulfillment_option_id",), "bicycle", "bicycle is not on offer"),
    "what is to be paid": (10, ("amount",), 1, "a payment of 1 was started for a total of 3750"),
    "the currency": (10, ("currency",), "eur", "in eur was started for a checkout in usd"),
    "the attempt's id": (10, ("attempt_id",), "attempt_1_a_9", "attempt attempt_1_a_9 should be"),
    "the attempt's lineage": (10, ("lineage",), "1", "should be attempt_1_a_9"),
    "what was paid": (13, ("payment", "amount"), 1, "1 was paid for a total of 3750"),
    "the order's content": (13, ("checkout", "currency"), "eur", "is not the one that the events"),
}


@pytest.mark.parametrize(("version", "path", "to", "told"), AMOUNTS.values(), ids=AMOUNTS)
def test_an_amount_that_was_changed_in_one_event_is_found(
    shop: Shop, store: EventStore, database: str, version, path, to, told
):
    whole_life(shop)
    change(store, database, "a", version, *path, to=to)

    violations = found(store)

    assert any(line.startswith(f"a version {version}: ") and told in line for line in violations)


def test_totals_that_agree_with_themselves_and_not_with_the_lines_are_found(
    shop: Shop, store: EventStore, database: str
):
    whole_life(shop)
    change(store, database, "a", 3, "totals", 0, "amount", to=1)
    change(store, database, "a", 3, "totals", 1, "amount", to=1)

    assert found(store) == ["a version 3: the subtotal is 1, and the lines come to 2000"]


def test_a_row_of_the_totals_that_is_left_out_is_found(
    shop: Shop, store: EventStore, database: str
):
    whole_life(shop)
    [row] = store.stream_rows("a", 7, 1, within=True)
    totals = orjson.loads(row._stored.state)["data"]["totals"]
    change(store, database, "a", 8, "totals", to=[totals[0], {**totals[3], "amount": 3500}])

    assert found(store)[0] == (
        "a version 8: the totals should be subtotal, fulfillment, tax and total, "
        "and are subtotal, total"
    )


@pytest.mark.parametrize(
    ("versions", "told"),
    [
        ([5], ["a version 6: follows version 4: 1 event is missing"]),
        ([5, 6], ["a version 7: follows version 4: 2 events are missing"]),
        ([1], ["a version 2: follows version 0: 1 event is missing"]),
        (
            [2, 5],
            [
                "a version 3: follows version 1: 1 event is missing",
                "a version 6: follows version 4: 1 event is missing",
            ],
        ),
    ],
)
def test_each_hole_in_a_stream_is_told_once(
    shop: Shop, store: EventStore, database: str, versions, told
):
    whole_life(shop)
    whole_life(shop, "b")
    for version in versions:
        remove(database, "a", version)

    assert found(store) == told
    assert [it for portion in portions_of(store) for it in portion.broken] == ["a"]


def test_an_event_that_cannot_be_read_is_told_and_the_rest_is_looked_at(
    shop: Shop, store: EventStore, database: str
):
    whole_life(shop)
    whole_life(shop, "b")
    sql(
        database,
        "UPDATE stored_events SET state = %s WHERE originator_id = 'a' AND originator_version = 6",
        b"{}",
    )
    change(store, database, "b", 8, "totals", 3, "amount", to=1)

    unread, *sums = found(store)

    assert unread.startswith("a version 6: a version 6: BuyerUpdated:1 can't be read")
    assert "\n" not in unread
    assert sums[0] == "b version 8: the total is 1, and its parts come to 3750"


def test_an_event_that_cannot_follow_is_told(shop: Shop, store: EventStore, database: str):
    shop.create()
    sql(
        database,
        "UPDATE stored_events SET originator_version = originator_version + 10 "
        "WHERE originator_id = 'a'",
    )
    for old, new in ((11, 2), (12, 1), (13, 3)):
        sql(
            database,
            "UPDATE stored_events SET originator_version = %s WHERE originator_version = %s",
            new,
            old,
        )

    assert found(store)[0].startswith("a version 1: can't follow the events before it")


def test_a_time_that_goes_back_is_told(shop: Shop, store: EventStore, database: str):
    whole_life(shop)
    [row] = store.stream_rows("a", 5, 1, within=True)
    state = orjson.loads(row._stored.state) | {"at": "2026-11-21T12:01:59Z"}
    sql(
        database,
        "UPDATE stored_events SET state = %s WHERE originator_id = 'a' AND originator_version = 6",
        orjson.dumps(state),
    )

    assert found(store) == [
        "a version 6: its time 2026-11-21T12:01:59Z is before 2026-11-21T12:02:00Z, the one before it"
    ]
