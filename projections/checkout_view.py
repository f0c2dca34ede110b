"""The view of a checkout: the JSON that GET answers and that a reply carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from domain.checkout import Checkout
from domain.presentation import view_of
from projections.list_index import ListIndexEntry

REVISION = 2
"""The revision of the view's shape. Raise it when `render` or `ListIndexEntry` changes."""


@dataclass(frozen=True, slots=True)
class RenderedView:
    """A rendered checkout: the bytes to answer, the version that they show, its entry on the list."""

    checkout_id: str
    version: int
    body: bytes
    entry: ListIndexEntry


def render_view(checkout: Checkout) -> RenderedView:
    """Render a checkout."""
    body = orjson.dumps(render(checkout))
    return RenderedView(checkout.id, checkout.version, body, ListIndexEntry.of(checkout))


def render(checkout: Checkout) -> dict[str, Any]:
    """A checkout as JSON values. What is not known yet is left out."""
    return view_of(checkout).model_dump(mode="json")
