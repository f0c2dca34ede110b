"""All projections. The writer, the projector, rebuilds and the audit iterate over them."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.checkout import Checkout
from projections.checkout_view import CheckoutViewProjection
from projections.list_index import ListIndexProjection
from projections.projection import Projection, Record, Source

CHECKOUT_VIEW = CheckoutViewProjection()
LIST_INDEX = ListIndexProjection()

PROJECTIONS: tuple[Projection, ...] = (CHECKOUT_VIEW, LIST_INDEX)
"""A new read model is one module with its projection, and its line here."""

_BODY = PROJECTIONS.index(CHECKOUT_VIEW)


@dataclass(frozen=True, slots=True)
class RenderedView:
    """A rendered checkout: the bytes to answer, the version that they show, and what is to be kept.

    `epoch` is the store's at that version: only both together name one content. `is_partial`: the checkout
    has an event of a later build, and the view shows what this one knows. `records` are those of
    `PROJECTIONS`, in their order; there are none in a view that was read.
    """

    checkout_id: str
    version: int
    body: bytes
    records: tuple[Record, ...] = field(default=(), compare=False)
    epoch: int = 0
    is_partial: bool = False


def render_view(checkout: Checkout, epoch: int = 0) -> RenderedView:
    """Render a checkout, as it is in an epoch of the store, for all projections."""
    source = Source(checkout)
    records = tuple([projection.project(source) for projection in PROJECTIONS])
    body, is_partial = records[_BODY].value, checkout.unknown_topic is not None
    return RenderedView(checkout.id, checkout.version, body, records, epoch, is_partial)
