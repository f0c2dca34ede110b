"""The view of a checkout: the JSON that GET answers and that a reply carries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from domain.checkout import Checkout
from domain.values import Value

REVISION = 1
"""The revision of the view's shape. Raise it when `render` changes: older views give way."""


@dataclass(frozen=True, slots=True)
class View:
    """A rendered checkout: the bytes to answer, and the version of the checkout they show."""

    checkout_id: str
    version: int
    body: bytes


def view_of(checkout: Checkout) -> View:
    """Render a checkout."""
    return View(checkout.id, checkout.version, orjson.dumps(render(checkout)))


def render(checkout: Checkout) -> dict[str, Any]:
    """A checkout as JSON values. What is not known yet is left out."""
    payment_provider = None if checkout.is_closed else checkout.payment_provider
    view = {
        "id": checkout.id,
        "buyer": _json(checkout.buyer),
        "payment_provider": _json(payment_provider),
        "status": checkout.status.value,
        "currency": checkout.currency,
        "line_items": [_json(line) for line in checkout.line_items],
        "fulfillment_address": _json(checkout.fulfillment_address),
        "fulfillment_options": [_json(option) for option in checkout.fulfillment_options],
        "fulfillment_option_id": checkout.fulfillment_option_id,
        "totals": [_json(total) for total in checkout.totals],
        "messages": [_json(message) for message in checkout.messages],
        "links": [_json(link) for link in checkout.links],
        "canceled_at": rfc3339(checkout.canceled_at),
    }
    return {name: value for name, value in view.items() if value is not None}


def rfc3339(moment: datetime | None) -> str | None:
    """A moment in UTC, such as `2024-09-30T14:30:00Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json(value: Value | None) -> dict[str, Any] | None:
    return value.model_dump(mode="json") if value else None
