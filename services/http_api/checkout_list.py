"""The list of checkouts over HTTP: a page of it, from the indexes in Redis."""

from __future__ import annotations

import logging
import re

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from domain.rejection import Rejection, invalid
from domain.values import CHECKOUT_ID_PATTERN, MAX_TEXT, Status
from projections.list_page import ListFilter, ListPage, UnknownCursor
from projections.redis.circuit_breaker import REDIS_FAILURES, CircuitBreaker
from projections.redis.views import RedisViews
from services.http_api.answers import CACHED, PREFIX
from services.http_api.errors import ApiError, unavailable
from services.http_api.query import Query, date_time, query_of, whole_number
from services.http_api.requests import Reader

logger = logging.getLogger(__name__)

MAX_CHECKOUTS = 100
DEFAULT_CHECKOUTS = 20

_PARAMETERS = ("status", "buyer_email", "created_after", "created_before", "limit", "cursor")
_CHECKOUT_ID = re.compile(CHECKOUT_ID_PATTERN)

router = APIRouter(prefix=PREFIX, tags=["checkouts"])


class ListReader:
    """Pages come from Redis or not at all: the event store can't tell them in time."""

    def __init__(self, views: RedisViews) -> None:
        self._views = views
        self._breaker = CircuitBreaker()

    async def page(self, wanted: ListFilter, limit: int, cursor: str | None) -> ListPage | None:
        """A page, or None while Redis is away or being filled. Raises `UnknownCursor`."""
        if self._breaker.is_open:
            return None
        try:
            async with self._breaker.attempt():
                return await self._views.page(wanted, limit, cursor)
        except REDIS_FAILURES as error:
            logger.warning("Redis does not answer, there is no list: %r", error)
            return None


@router.head("", include_in_schema=False)
@router.get("", operation_id="list_checkouts")
async def list_checkouts(request: Request, key: Reader) -> Response:  # noqa: ARG001 - it guards
    """The checkouts that a filter leaves, newest first."""
    query = query_of(request, *_PARAMETERS)
    wanted = ListFilter(
        _status(query),
        _buyer_email(query),
        date_time(query, "created_after"),
        date_time(query, "created_before"),
    )
    limit = whole_number(query, "limit", 1, MAX_CHECKOUTS) or DEFAULT_CHECKOUTS
    cursor = _cursor(query)
    reader: ListReader = request.app.state.lister
    try:
        page = await reader.page(wanted, limit, cursor)
    except UnknownCursor:
        raise no_such_cursor() from None
    if page is None:
        raise no_list()
    body = {"data": page.items, "has_more": page.has_more, "total_count": page.total_count}
    return Response(orjson.dumps(body), headers=CACHED, media_type="application/json")


def no_such_cursor() -> Rejection:
    """400: there is nothing to go on after."""
    return invalid("cursor must be the id of a checkout, the last one seen", "$.cursor")


def no_list() -> ApiError:
    """503: Redis is away, or doesn't hold all checkouts yet."""
    return unavailable("the list can't be read now: its index is away or being built; try again")


def _status(query: Query) -> Status | None:
    given = query.get("status")
    if given is None:
        return None
    if given not in set(Status):
        raise invalid(f"status must be one of {', '.join(Status)}", "$.status")
    return Status(given)


def _buyer_email(query: Query) -> str | None:
    given = query.get("buyer_email")
    if given is not None and not 1 <= len(given) <= MAX_TEXT:
        raise invalid(f"buyer_email must have 1 to {MAX_TEXT} characters", "$.buyer_email")
    return given


def _cursor(query: Query) -> str | None:
    given = query.get("cursor")
    if given is not None and not _CHECKOUT_ID.fullmatch(given):
        raise no_such_cursor()
    return given
