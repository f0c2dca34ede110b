"""The projection that GET and replies are served from: a checkout as JSON."""

from __future__ import annotations

from typing import Any

import orjson

from domain.checkout import Checkout
from projections.projection import Record, Source


class CheckoutViewProjection:
    """One record a checkout: the JSON of its view."""

    name = "view"
    revision = 3

    def project(self, source: Source) -> Record:
        """The rendered view."""
        return Record(orjson.dumps(source.view))


def render(checkout: Checkout) -> dict[str, Any]:
    """A checkout as JSON values. What is not known yet is left out."""
    return Source(checkout).view
