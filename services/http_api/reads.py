"""The operations that read: a checkout, its history, and the list of checkouts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus
from typing import TypeVar

from starlette.responses import Response

from domain.checkout import BrokenStream, UnknownBeginning
from domain.rejection import of_later_build
from projections.list_page import ListFilter, UnknownCursor
from services.event_store import StoreUnavailable
from services.event_store.event_mapper import UnreadableEvent
from services.http_api.errors import (
    no_list,
    no_such_checkout,
    no_such_cursor,
    no_such_version,
    unreadable,
    version_and_time,
)
from services.http_api.operation import Call
from services.http_api.request_headers import IF_NONE_MATCH
from services.http_api.responses import (
    DEADLINE_SECONDS,
    REVALIDATE,
    checkout_response,
    entity_tag,
    guard_id,
    view_headers,
)
from services.messages.checkout_list import CheckoutPage
from services.messages.encoding import encode

Found = TypeVar("Found")


async def list_checkouts(call: Call) -> Response:
    """A page of the checkouts that match a filter."""
    query = call.query
    wanted = ListFilter(
        query["status"], query["buyer_email"], query["created_after"], query["created_before"]
    )
    try:
        page = await call.parts.lists.page(wanted, query["limit"], query["cursor"])
    except UnknownCursor:
        raise no_such_cursor() from None
    if page is None:
        raise no_list()
    return _json(encode(CheckoutPage.of(page)))


async def get_checkout(call: Call) -> Response:
    """A checkout as it is now, or as it was at a version or a time."""
    version, at = call.query["version"], call.query["at"]
    if version is not None and at is not None:
        raise version_and_time()
    moment = at if version is None else version
    checkout_id = _checkout_id(call)
    if moment is None:
        view = await _in_time(call.parts.checkouts.get(checkout_id))
    else:
        view = await _in_time(asyncio.to_thread(call.parts.history.view_at, checkout_id, moment))
    if view is None:
        raise no_such_checkout() if moment is None else no_such_version()
    if IF_NONE_MATCH.read(call.request.headers) & {"*", entity_tag(view)}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=view_headers(view))
    return checkout_response(view, HTTPStatus.OK)


async def list_events(call: Call) -> Response:
    """A checkout's events as CloudEvents, oldest first."""
    after, limit, checkout_id = call.query["after"], call.query["limit"], _checkout_id(call)
    history = call.parts.history
    page = await _in_time(asyncio.to_thread(history.events_after, checkout_id, after, limit))
    if page is None:
        raise no_such_checkout()
    return _json(page)


def _checkout_id(call: Call) -> str:
    checkout_id = call.checkout_id or ""
    guard_id(checkout_id)
    return checkout_id


def _json(body: bytes) -> Response:
    return Response(body, headers=REVALIDATE, media_type="application/json")


async def _in_time(reading: Awaitable[Found]) -> Found:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await reading
    except UnknownBeginning as error:
        raise of_later_build(error.topic) from None
    except (StoreUnavailable, UnreadableEvent, BrokenStream, TimeoutError):
        raise unreadable() from None
