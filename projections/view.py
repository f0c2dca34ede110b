"""The view of a checkout: the JSON that GET answers and that a reply carries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from domain.checkout import Checkout
from domain.showing import snapshot_of
from projections.entry import Entry

REVISION = 2
"""The revision of the view's shape. Raise it when `render` or `Entry` changes: older views give way."""


@dataclass(frozen=True, slots=True)
class View:
    """A rendered checkout: the bytes to answer, the version that they show, its entry on the list."""

    checkout_id: str
    version: int
    body: bytes
    entry: Entry


def view_of(checkout: Checkout) -> View:
    """Render a checkout."""
    body = orjson.dumps(render(checkout))
    return View(checkout.id, checkout.version, body, Entry.of(checkout))


def render(checkout: Checkout) -> dict[str, Any]:
    """A checkout as JSON values. What is not known yet is left out."""
    return snapshot_of(checkout).model_dump(mode="json")


def rfc3339(moment: datetime | None) -> str | None:
    """A moment in UTC, such as `2024-09-30T14:30:00Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
