"""Reading checkouts over HTTP: one as it is now, from the views, and its past, from the event store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus
from typing import TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from domain.point_in_time import Moment
from domain.rejection import Rejection, RejectionCode, invalid
from services.event_store import StoreUnavailable
from services.http_api.answers import (
    CACHED,
    DEADLINE_SECONDS,
    PREFIX,
    entity_tag,
    guard_id,
    no_such_checkout,
    shown,
    view_headers,
)
from services.http_api.checkout_reader import CheckoutReader
from services.http_api.errors import unavailable
from services.http_api.point_in_time import PointInTimeReader
from services.http_api.query import date_time, query_of, whole_number
from services.http_api.requests import Reader, is_known

MAX_EVENTS = 1_000
DEFAULT_EVENTS = 100

Found = TypeVar("Found")

router = APIRouter(prefix=PREFIX, tags=["checkouts"])


@router.head("/{checkout_id}", include_in_schema=False)
@router.get("/{checkout_id}", operation_id="get_checkout")
async def get(request: Request, checkout_id: str, key: Reader) -> Response:  # noqa: ARG001 - it guards
    """The checkout as it is now, or as it was: at a version, or at a time."""
    moment = _moment(request)
    guard_id(checkout_id)
    if moment is None:
        reader: CheckoutReader = request.app.state.reader
        view = await _in_time(reader.get(checkout_id))
    else:
        past: PointInTimeReader = request.app.state.past
        view = await _in_time(asyncio.to_thread(past.view_at, checkout_id, moment))
    if view is None:
        raise no_such_checkout() if moment is None else not_there_then()
    if is_known(request, entity_tag(view)):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=view_headers(view))
    return shown(view, HTTPStatus.OK)


@router.head("/{checkout_id}/events", include_in_schema=False)
@router.get("/{checkout_id}/events", operation_id="list_events")
async def events(request: Request, checkout_id: str, key: Reader) -> Response:  # noqa: ARG001 - it guards
    """What has happened to the checkout, oldest first, as CloudEvents: the very events on Kafka."""
    query = query_of(request, "after", "limit")
    after = whole_number(query, "after", 0) or 0
    limit = whole_number(query, "limit", 1, MAX_EVENTS) or DEFAULT_EVENTS
    guard_id(checkout_id)
    past: PointInTimeReader = request.app.state.past
    page = await _in_time(asyncio.to_thread(past.events_after, checkout_id, after, limit))
    if page is None:
        raise no_such_checkout()
    return Response(page, headers=CACHED, media_type="application/json")


def _moment(request: Request) -> Moment | None:
    """The moment of the past that is asked for, None for now. Raises `Rejection`."""
    query = query_of(request, "version", "at")
    version, at = whole_number(query, "version", 1), date_time(query, "at")
    if version is not None and at is not None:
        raise invalid("version and at exclude each other", "$.at")
    return at if version is None else version


def not_there_then() -> Rejection:
    """404."""
    return Rejection(
        RejectionCode.NOT_FOUND,
        "there is no such checkout, or it has no such version or was not there yet",
    )


async def _in_time(reading: Awaitable[Found]) -> Found:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await reading
    except (StoreUnavailable, TimeoutError):
        raise unavailable("the checkout can't be read now; try again") from None
