"""Reading checkouts over HTTP: one as it is now, from the views."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.answers import (
    DEADLINE_SECONDS,
    PREFIX,
    entity_tag,
    guard_id,
    no_such_checkout,
    shown,
    view_headers,
)
from services.api.errors import unavailable
from services.api.reader import CheckoutReader
from services.api.requests import Reader, is_known, refuse_query
from services.store import StoreUnavailable

router = APIRouter(prefix=PREFIX, tags=["checkouts"])


@router.get("/{checkout_id}", operation_id="get_checkout")
async def get(request: Request, checkout_id: str, key: Reader) -> Response:  # noqa: ARG001 - it guards
    """The checkout as it is now."""
    refuse_query(request)
    guard_id(checkout_id)
    reader: CheckoutReader = request.app.state.reader
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            view = await reader.get(checkout_id)
    except (StoreUnavailable, TimeoutError):
        raise unavailable("the checkout can't be read now; try again") from None
    if view is None:
        raise no_such_checkout()
    if is_known(request, entity_tag(view)):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=view_headers(view))
    return shown(view, HTTPStatus.OK)
