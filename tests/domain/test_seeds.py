"""The requests that the service was asked for with, and the very answers to them."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from domain.checkout import fold
from domain.commands import (
    CancelCheckout,
    CompleteCheckout,
    CreateCheckout,
    RecordPayment,
    UpdateCheckout,
)
from domain.decide import decide
from domain.events import record
from domain.merchant_file import parse_book
from projections.checkout_view import render
from tests.domain.given import METADATA

EXAMPLES = Path(__file__).parents[1] / "examples"
DEMO_BOOK = parse_book((files("domain") / "demo_book.toml").read_text(encoding="utf-8"))
AT = datetime(2024, 9, 30, 14, 30, tzinfo=UTC)


def example(name):
    return json.loads((EXAMPLES / f"{name}.json").read_bytes())


def carry_out(checkout, command_class, name):
    return decided(checkout, command_class.parse(example(f"{name}.request")))


def decided(checkout, command):
    version = checkout.version if checkout else 0
    events = decide(checkout, command, DEMO_BOOK, lineage="lineage1").events
    return fold(record("checkout_abc123", version, AT, events, METADATA), checkout)


def test_create_update_and_cancel_come_out_to_the_cent():
    created = carry_out(None, CreateCheckout, "create")
    updated = carry_out(created, UpdateCheckout, "update")
    canceled = carry_out(updated, CancelCheckout, "cancel")

    assert render(created) == example("create.response")
    assert render(updated) == example("update.response")
    assert render(canceled) == example("cancel.response")


def test_a_complete_comes_out_to_the_cent_once_the_provider_has_taken_the_payment():
    created = carry_out(None, CreateCheckout, "create")
    updated = carry_out(created, UpdateCheckout, "update")
    answer = example("complete.response")

    paying = carry_out(updated, CompleteCheckout, "complete")
    completed = decided(
        paying,
        RecordPayment(attempt_id=paying.attempt.attempt_id, payment_id=answer["payment"]["id"]),
    )

    shown = render(completed)
    assert shown["order_id"].startswith("order_")
    # Only the order's id is ours to choose.
    assert shown == {**answer, "order_id": shown["order_id"]}
    assert [row["type"] for row in shown["totals"]] == [row["type"] for row in answer["totals"]]


def test_the_totals_come_in_the_order_of_the_example():
    created = carry_out(None, CreateCheckout, "create")

    rows = [row["type"] for row in example("create.response")["totals"]]
    assert [row["type"] for row in render(created)["totals"]] == rows
