"""Streams that older builds recorded are read as the current version, and lead to the same views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from domain.checkout import Checkout, evolve
from domain.commands import UpdateCheckout
from domain.events import CheckoutPricedV2
from projections.registry import render_view
from services.event_store.upcasters import UPCASTERS
from tests.domain.given import BERLIN, CALIFORNIA, after, ask, created
from tests.services.event_store.golden import decode

STREAMS: list[dict[str, Any]] = orjson.loads(
    (Path(__file__).parent / "priced_1_streams.json").read_bytes()
)
"""Whole histories with `CheckoutPriced:1`, and the view at each version, as the build of then showed it."""


def states_of(rows: list[dict[str, Any]]) -> list[Checkout]:
    states: list[Checkout] = []
    for version, row in enumerate(rows, start=1):
        recorded = decode({"checkout_id": "c1", "version": version, **row})
        states.append(evolve(states[-1] if states else None, recorded))
    return states


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream["name"])
def test_a_stream_of_version_1_folds_to_the_same_bytes_at_each_version(stream: dict[str, Any]):
    assert any(row["topic"] in UPCASTERS for row in stream["rows"])

    views = [render_view(state).body.decode() for state in states_of(stream["rows"])]

    assert views == stream["views"]


def test_what_version_2_records_is_what_version_1_leaves_to_be_worked_out():
    checkout = None
    recorded = []
    for command in (
        {"fulfillment_option_id": "courier"},
        {"fulfillment_address": BERLIN},
        {"items": []},
        {"fulfillment_address": None},
    ):
        checkout = checkout or created(fulfillment_address=CALIFORNIA)
        events = ask(checkout, UpdateCheckout.parse(command))
        recorded += [(checkout, events)]
        checkout = after(checkout, events)

    priced = [it.event for _, events in recorded for it in events]
    assert [it.choice_ended for it in priced if isinstance(it, CheckoutPricedV2)] == [
        False,
        True,
        False,
        False,
    ]
    for before, events in recorded:
        as_version_1 = tuple(
            type(it)(it.checkout_id, it.version, it.at, without_version_2(it.event), it.metadata)
            for it in events
        )
        assert after(before, as_version_1) == after(before, events)


def without_version_2(event: Any) -> Any:
    if not isinstance(event, CheckoutPricedV2):
        return event
    return event.model_copy(update={"order_tax": None, "choice_ended": None})


def test_every_upcaster_leads_to_a_version_that_is_read():
    for name, (_, to) in UPCASTERS.items():
        assert to != name
        assert to.partition(":")[0] == name.partition(":")[0]
