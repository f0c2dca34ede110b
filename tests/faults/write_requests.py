"""Write requests of every kind, accepted and rejected, each on a new checkout."""

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
    return "PUT", await shop.create_checkout(), MORE


async def a_cancel(shop: Client) -> Write:
    return "POST", f"{await shop.create_checkout()}/cancel", {"reason": "changed_mind"}


async def an_empty_update(shop: Client) -> Write:
    return "PUT", await shop.create_checkout(), {}


async def an_update_of_a_closed_checkout(shop: Client) -> Write:
    path = await shop.create_checkout()
    await shop.request("POST", f"{path}/cancel")
    return "PUT", path, MORE


async def a_cancel_of_a_closed_checkout(shop: Client) -> Write:
    _, path, _ = await an_update_of_a_closed_checkout(shop)
    return "POST", f"{path}/cancel", {}


async def an_update_of_a_missing_checkout(shop: Client) -> Write:
    return "PUT", f"/v1/checkouts/{uuid.uuid4().hex}", MORE


async def an_unknown_item(shop: Client) -> Write:
    return "PUT", await shop.create_checkout(), {"items": [{"id": "item_999", "quantity": 1}]}


WRITES: dict[Callable[[Client], Awaitable[Write]], tuple[int, int | None]] = {
    a_create: (201, 3),
    an_update: (200, 2),
    a_cancel: (200, 1),
    an_empty_update: (200, 0),
    an_update_of_a_closed_checkout: (409, 0),
    a_cancel_of_a_closed_checkout: (405, 0),
    an_update_of_a_missing_checkout: (404, None),
    an_unknown_item: (400, 0),
}
"""The status of the response, and the number of events that the write causes."""
