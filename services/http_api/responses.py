"""Responses that show a checkout, with their headers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from domain.values import CHECKOUT_ID_PATTERN
from projections.registry import RenderedView
from services.http_api.entity_tag import EntityTag
from services.http_api.errors import no_such_checkout

PREFIX = "/v1/checkouts"
DEADLINE_SECONDS = 5.0
"""Every request is answered within this time, if only by a 503."""
REVALIDATE = {"Cache-Control": "no-cache"}
"""A client may keep a copy, and must revalidate it before each use."""

_CHECKOUT_ID = re.compile(CHECKOUT_ID_PATTERN)


def checkout_response(
    view: RenderedView, status: HTTPStatus, headers: Mapping[str, str] | None = None
) -> Response:
    """The response that shows a checkout."""
    return Response(view.body, status, view_headers(view) | dict(headers or {}), "application/json")


def view_headers(view: RenderedView) -> dict[str, str]:
    """The headers of a view, also of a 304 without its body."""
    return {"ETag": entity_tag(view), **REVALIDATE}


def entity_tag(view: RenderedView) -> str:
    """The `ETag`: the version in quotes, with the epoch once the store has lost history."""
    digest = hashlib.sha256(view.body).hexdigest()[:16] if view.is_partial else ""
    return EntityTag(view.version, view.epoch, digest).header


def is_checkout_id(text: str) -> bool:
    """Whether a checkout can have this id."""
    return _CHECKOUT_ID.fullmatch(text) is not None


def guard_id(checkout_id: str) -> None:
    """Raise `Rejection` (404) for an id that no checkout can have."""
    if not is_checkout_id(checkout_id):
        raise no_such_checkout()
