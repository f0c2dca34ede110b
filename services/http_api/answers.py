"""What reads and writes of checkouts answer alike: the view, its headers, and that there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from domain.rejection import Rejection, RejectionCode
from domain.values import CHECKOUT_ID_PATTERN
from projections.checkout_view import RenderedView

PREFIX = "/v1/checkouts"
DEADLINE_SECONDS = 5.0
"""Within which every call is answered, if only by a 503."""
CACHED = {"Cache-Control": "no-cache"}
"""A copy may be kept, and must be asked for anew."""

_CHECKOUT_ID = re.compile(CHECKOUT_ID_PATTERN)


def shown(
    view: RenderedView, status: HTTPStatus, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer that shows a checkout."""
    return Response(view.body, status, view_headers(view) | dict(headers or {}), "application/json")


def view_headers(view: RenderedView) -> dict[str, str]:
    """The headers that go with a view, also without its body."""
    return {"ETag": entity_tag(view), **CACHED}


def entity_tag(view: RenderedView) -> str:
    """The `ETag`: the version."""
    return f'"{view.version}"'


def guard_id(checkout_id: str) -> None:
    """An id that can't be any checkout's is not found. Raises `Rejection`."""
    if not _CHECKOUT_ID.fullmatch(checkout_id):
        raise no_such_checkout()


def no_such_checkout() -> Rejection:
    """404."""
    return Rejection(RejectionCode.NOT_FOUND, "there is no such checkout")
