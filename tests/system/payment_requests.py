"""Helpers for tests of payments: checkouts that are ready, and bodies of complete requests."""

from __future__ import annotations

from typing import Any

import httpx

from tests.system.http_user import ADDRESS, ITEMS

READY_CHECKOUT = {"items": ITEMS, "fulfillment_address": ADDRESS}
"""The body that creates a checkout which is ready for payment."""


def payment_body(token: Any = "spt_ok", **more: Any) -> dict[str, Any]:
    """The body of a complete request; `more` adds or replaces fields of its payment data."""
    return {"payment_data": {"token": token, "provider": "stripe"} | more}


async def create_ready_checkout(http: httpx.AsyncClient) -> str:
    """Create a checkout that is ready for payment; returns its path."""
    created = await http.post("/v1/checkouts", json=READY_CHECKOUT)
    assert created.json()["status"] == "ready_for_payment", created.text
    return created.headers["location"]
