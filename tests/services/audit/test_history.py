"""The history of a checkout: each event with what it changed, in words, and the totals around it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.audit.history import HistoryEntry, history
from services.event_store import EventStore
from tests.services.audit.given import JANE, LOS_ANGELES, NOON, Shop, items, remove, sql, whole_life


def changes(store: EventStore, version: int) -> list[str]:
    return list(history(store, "a"))[version - 1].changes()


def test_a_whole_life_is_told_in_words(shop: Shop, store: EventStore):
    whole_life(shop)

    told = [(entry.recorded.event.NAME, entry.changes()) for entry in history(store, "a")]

    attempts = [
        it.recorded.event.attempt_id for it in history(store, "a") if it.version in (10, 12)
    ]
    assert told == [
        ("CheckoutCreated", ["created in usd, to be paid through stripe"]),
        ("ItemsUpdated", ["item_123 × 2 added at 2000", "subtotal 0 → 2000"]),
        (
            "CheckoutPriced",
            [
                "subtotal none → 2000",
                "missing: $.fulfillment_address, $.fulfillment_option_id",
            ],
        ),
        (
            "ItemsUpdated",
            ["item_123 × 2 → × 3", "item_456 × 1 added at 500", "subtotal 2000 → 3500"],
        ),
        ("CheckoutPriced", ["subtotal 2000 → 3500"]),
        ("BuyerUpdated", ["buyer: Jane Doe <jane@shop.example>"]),
        (
            "FulfillmentAddressUpdated",
            ["address: Jane Doe, 1234 Chat Road, Los Angeles, CA 90131, US"],
        ),
        (
            "CheckoutPriced",
            [
                "on offer: shipping_fast at 150",
                "selected: none → shipping_fast",
                "fulfillment none → 150",
                "tax none → 100",
                "status: not_ready_for_payment → ready_for_payment",
            ],
        ),
        ("FulfillmentOptionSelected", ["asked for shipping_fast"]),
        ("PaymentStarted", [f"payment of 3750 usd started through stripe ({attempts[0]})"]),
        ("PaymentDeclined", [f'payment declined: card_declined, "No funds" ({attempts[0]})']),
        ("PaymentStarted", [f"payment of 3750 usd started through stripe ({attempts[1]})"]),
        (
            "CheckoutCompleted",
            [
                f"completed as {list(history(store, 'a'))[-1].after.order_id}",
                "3750 paid through stripe (pi_1)",
            ],
        ),
    ]


def test_what_is_taken_back_is_told_with_what_it_was(shop: Shop, store: EventStore):
    shop.create(item_123=1, item_456=2)
    shop.update(buyer={**JANE, "phone_number": "+15550100"}, fulfillment_address=LOS_ANGELES)
    shop.update(fulfillment_option_id="shipping_fast", items=items(item_456=2))
    shop.update(buyer=None, fulfillment_address=None, fulfillment_option_id=None, items=[])

    told = [clause for entry in history(store, "a") for clause in entry.changes()]

    assert {
        "item_123 × 1 removed",
        "subtotal 2000 → 1000",
        "item_456 × 2 removed",
        "subtotal 1000 → 0",
        "buyer cleared, was Jane Doe <jane@shop.example>, +15550100",
        "address cleared, was Jane Doe, 1234 Chat Road, Los Angeles, CA 90131, US",
        "asked for the merchant's first offer",
        "on offer: nothing",
        "selected: shipping_fast → none",
        "tax 100 → none",
        "missing: $.items, $.fulfillment_address, $.fulfillment_option_id",
    } <= set(told)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "canceled"),
        ({"reason": "customer_requested"}, "canceled: customer_requested"),
        ({"message": "Never mind"}, 'canceled: "Never mind"'),
        (
            {"reason": "customer_requested", "message": "Changed their mind"},
            'canceled: customer_requested, "Changed their mind"',
        ),
    ],
)
def test_a_cancellation_is_told_with_its_reasons(shop: Shop, store: EventStore, body, told):
    shop.create()
    shop.cancel(**body)

    assert changes(store, 4) == [told]


def test_each_event_says_when_who_asked_and_the_totals_around_it(shop: Shop, store: EventStore):
    shop.create()
    shop.update(items=items(item_123=3))

    last = list(history(store, "a"))[-1].as_json()

    assert last == {
        "version": 5,
        "time": "2026-11-21T12:02:00Z",
        "event": "CheckoutPriced",
        "door": "http",
        "actor": "shop",
        "command_source": "/api",
        "command_id": "command-2",
        "correlation_id": "request-2",
        "traceparent": None,
        "changes": ["subtotal 2000 → 3000"],
        "currency": "usd",
        "total_before": 2000,
        "total_after": 3000,
        "trouble": None,
    }


def test_an_unknown_checkout_has_no_history(shop: Shop, store: EventStore):
    shop.create("ab")
    assert list(history(store, "a")) == []


def test_a_hole_is_told_where_it_is_and_the_rest_without_totals(
    shop: Shop, store: EventStore, database: str
):
    whole_life(shop)
    remove(database, "a", 4)

    entries = list(history(store, "a"))

    assert [entry.version for entry in entries] == [1, 2, 3, *range(5, 14)]
    assert [entry.version for entry in entries if entry.trouble] == [*range(5, 14)]
    assert "version 5, not 4" in entries[3].trouble
    assert "buyer: Jane Doe <jane@shop.example>" in entries[4].changes()
    assert (entries[4].as_json()["total_before"], entries[4].after) == (None, None)


def test_an_event_that_cannot_be_read_does_not_hide_the_others(
    shop: Shop, store: EventStore, database: str
):
    whole_life(shop)
    sql(database, "UPDATE stored_events SET topic = 'Teleported:1' WHERE originator_version = 6")

    entries = list(history(store, "a"))

    assert len(entries) == 13
    assert lines(entries[5])[0].endswith("Z  Teleported:1")
    assert entries[5].changes() == ["unknown event topic Teleported:1: recorded by a later build"]
    assert entries[5].as_json()["event"] == "Teleported:1"
    assert [entry.trouble for entry in entries] == [None] * 13
    assert entries[6].changes()[0].startswith("address: ")


def test_a_history_longer_than_a_page_is_told_to_its_end(
    shop: Shop, store: EventStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.audit.streams.PAGE", 2)
    whole_life(shop)
    shop.create("b")

    assert [entry.version for entry in history(store, "a")] == [*range(1, 14)]


def test_a_person_reads_event_asker_changes_and_total_on_lines_of_their_own(
    shop: Shop, store: EventStore
):
    shop.create()

    assert [lines(entry) for entry in history(store, "a")][2] == [
        f"3  {(NOON + timedelta(minutes=1)).isoformat().replace('+00:00', 'Z')}  CheckoutPriced",
        "by shop over http: command /api command-1, correlation request-1",
        "subtotal none → 2000; missing: $.fulfillment_address, $.fulfillment_option_id",
        "total none → 2000 usd",
    ]


def lines(entry: HistoryEntry) -> list[str]:
    return entry.lines()
