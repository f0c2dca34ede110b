"""Checkouts on a list, and the list as anybody would make it who has all day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from domain.checkout import Checkout
from domain.values import Buyer, Status
from projections.checkout_view import render
from projections.list_index import list_item
from projections.list_page import ListFilter
from projections.projection import Source
from projections.redis.views import RedisViews
from projections.registry import LIST_INDEX, render_view
from tests.projections.given import NOW, checkout

CANCELED, READY = Status.CANCELED, Status.READY_FOR_PAYMENT
_MUG = checkout("mug")


def at(seconds: float) -> datetime:
    """So many seconds after the beginning."""
    return NOW + timedelta(seconds=seconds)


def listed(
    checkout_id: str,
    created: float = 0,
    status: Status = READY,
    email: str | None = None,
    version: int = 1,
) -> Checkout:
    """A checkout made so many seconds after the beginning, and changed with each version."""
    return replace(
        _MUG,
        id=checkout_id,
        version=version,
        created_at=at(created),
        updated_at=at(created + version),
        status=status,
        buyer=Buyer(first_name="A", last_name="B", email=email) if email else None,
    )


async def show(views: RedisViews, *checkouts: Checkout) -> None:
    """Write the views of checkouts."""
    await views.apply([render_view(each) for each in checkouts])


async def pages(
    views: RedisViews, wanted: ListFilter, limit: int, cursor: str | None = None
) -> list[list[dict[str, Any]]]:
    """All pages from a cursor on, as a client goes through them."""
    found: list[list[dict[str, Any]]] = []
    while True:
        page = await views.page(wanted, limit, cursor)
        assert page is not None
        found.append(page.items)
        if not page.has_more:
            return found
        assert len(page.items) == limit
        cursor = page.items[-1]["id"]


def naive_list(checkouts: Iterable[Checkout], wanted: ListFilter) -> list[dict[str, Any]]:
    """What a filter leaves of them, newest first; what was made at once, by id."""
    left = [each for each in checkouts if _is_wanted(each, wanted)]
    left.sort(key=lambda each: (each.created_at, each.id.encode()), reverse=True)
    return [list_item(render(each), LIST_INDEX.project(Source(each)).value) for each in left]


def _is_wanted(checkout: Checkout, wanted: ListFilter) -> bool:
    email = checkout.buyer.email if checkout.buyer else None
    return (
        wanted.status in (None, checkout.status)
        and wanted.buyer_email in (None, email)
        and (wanted.created_after is None or checkout.created_at > wanted.created_after)
        and (wanted.created_before is None or checkout.created_at < wanted.created_before)
    )
