"""Helpers for tests of a checkout's history."""

from __future__ import annotations

from typing import Any

import httpx

from tests.system.http_user import ADDRESS, BUYER, create_checkout

CHANGES: list[dict[str, Any]] = [
    {"fulfillment_address": ADDRESS},
    {"buyer": BUYER},
    {"items": [{"id": "item_456", "quantity": 3}], "buyer": None},
    {"fulfillment_address": None, "items": []},
]


async def create_history(http: httpx.AsyncClient) -> tuple[str, list[httpx.Response]]:
    """Create, change and cancel a checkout; returns its path and the response to each step."""
    path = await create_checkout(http)
    responses = [await http.get(path)]
    responses += [await http.put(path, json=change) for change in CHANGES]
    responses.append(await http.post(f"{path}/cancel", json={"message": "Too late"}))
    assert {answer.status_code for answer in responses} == {200}
    return path, responses


def version_of(answer: httpx.Response) -> int:
    """The version in a response's ETag."""
    return int(answer.headers["etag"].strip('"'))


async def events_page(http: httpx.AsyncClient, path: str, **query: int) -> list[dict[str, Any]]:
    """One page of a checkout's events."""
    answer = await http.get(f"{path}/events", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])
