"""The audit names the events of later builds, and checks everything else."""

from __future__ import annotations

import json

from services.event_store import EventStore
from tests.services.audit.given import Shop, sql, whole_life
from tests.services.command_line import checkout

TOPIC = "CheckoutTeleported:1"
STORE_ALONE = ("--without-redis", "--without-kafka")


def replace(database: str, checkout_id: str, version: int) -> None:
    """Make an event one that only a later build knows."""
    statement = (
        f"UPDATE stored_events SET topic = '{TOPIC}' "
        "WHERE originator_id = %s AND originator_version = %s"
    )
    sql(database, statement, checkout_id, version)


def test_history_show_and_verify_name_them(shop: Shop, store: EventStore, database: str):
    whole_life(shop)
    shop.create("b")
    shop.create("c")
    replace(database, "a", 6)
    replace(database, "b", 1)

    def audit(*arguments: object) -> tuple[int, str, str]:
        ended = checkout("audit", *arguments, CHECKOUT_EVENT_STORE_URL=database)
        return ended.returncode, ended.stdout, ended.stderr

    status, told, _ = audit("history", "a")
    assert status == 0
    assert f"unknown event topic {TOPIC}" in told
    status, shown, note = audit("show", "a", "--json")
    assert (status, json.loads(shown)["id"]) == (0, "a")
    status, shown, note = audit("show", "a")
    assert status == 0
    assert TOPIC in note
    assert TOPIC in audit("show", "b")[2]
    status, told, _ = audit("verify", *STORE_ALONE)
    assert (status, told) == (
        0,
        f"19 events of 3 checkouts, of later builds and unknown here: 2 {TOPIC}: no violations\n",
    )
    counts = json.loads(audit("verify", *STORE_ALONE, "--json")[1])["verified"]
    assert counts["unknown_events"] == {TOPIC: 2}


def test_a_payment_that_such_an_event_may_have_ended_is_not_lost(
    shop: Shop, store: EventStore, database: str
):
    whole_life(shop)
    replace(database, "a", 13)

    ended = checkout("audit", "verify", *STORE_ALONE, CHECKOUT_EVENT_STORE_URL=database)

    assert (ended.returncode, "no violations" in ended.stdout) == (0, True), ended.stdout
