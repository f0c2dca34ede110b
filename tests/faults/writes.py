"""Writes of every kind, accepted and refused, each on a checkout of its own that is made for it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from tests.faults.apis import ITEMS, Client

MORE = {"items": [{"id": "item_123", "quantity": 3}], "fulfillment_option_id": None}

Write = tuple[str, str, dict[str, Any]]
"""Method, path and body."""


async def a_create(shop: Client) -> Write:
    return "POST", "/v1/checkouts", {"items": ITEMS}


async def an_update(shop: Client) -> Write:
    return "PUT", await shop.opened(), MORE


async def a_cancel(shop: Client) -> Write:
    return "POST", f"{await shop.opened()}/cancel", {"reason": "changed_mind"}


async def an_update_of_nothing(shop: Client) -> Write:
    return "PUT", await shop.opened(), {}


async def an_update_of_a_closed_one(shop: Client) -> Write:
    path = await shop.opened()
    await shop.request("POST", f"{path}/cancel")
    return "PUT", path, MORE


async def a_cancel_of_a_closed_one(shop: Client) -> Write:
    _, path, _ = await an_update_of_a_closed_one(shop)
    return "POST", f"{path}/cancel", {}


async def an_update_of_none(shop: Client) -> Write:
    return "PUT", f"/v1/checkouts/{uuid.uuid4().hex}", MORE


async def an_item_that_the_book_lacks(shop: Client) -> Write:
    return "PUT", await shop.opened(), {"items": [{"id": "item_999", "quantity": 1}]}


WRITES: dict[Callable[[Client], Awaitable[Write]], tuple[int, int | None]] = {
    a_create: (201, 3),
    an_update: (200, 2),
    a_cancel: (200, 1),
    an_update_of_nothing: (200, 0),
    an_update_of_a_closed_one: (409, 0),
    a_cancel_of_a_closed_one: (405, 0),
    an_update_of_none: (404, None),
    an_item_that_the_book_lacks: (400, 0),
}
"""Each with the status that it is answered with, and how many events it leads to."""
