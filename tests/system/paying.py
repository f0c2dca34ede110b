"""Checkouts that are ready for payment, and what pays for them."""

from __future__ import annotations

from typing import Any

import httpx

from tests.system.http_user import ADDRESS, ITEMS

READY = {"items": ITEMS, "fulfillment_address": ADDRESS}
"""What a checkout that lacks nothing is created with."""


def paying(token: Any = "spt_ok", **more: Any) -> dict[str, Any]:
    """The body of a complete; `more` adds to its payment data or replaces."""
    return {"payment_data": {"token": token, "provider": "stripe"} | more}


async def opened_ready(http: httpx.AsyncClient) -> str:
    """The path of a new checkout that is ready for payment."""
    created = await http.post("/v1/checkouts", json=READY)
    assert created.json()["status"] == "ready_for_payment", created.text
    return created.headers["location"]
