"""A checkout that has lived, and what its readers ask of its past."""

from __future__ import annotations

from typing import Any

import httpx

from tests.system.http_user import ADDRESS, BUYER, opened

CHANGES: list[dict[str, Any]] = [
    {"fulfillment_address": ADDRESS},
    {"buyer": BUYER},
    {"items": [{"id": "item_456", "quantity": 3}], "buyer": None},
    {"fulfillment_address": None, "items": []},
]


async def lived(http: httpx.AsyncClient) -> tuple[str, list[httpx.Response]]:
    """The path of a checkout with a past, and each answer that showed it to its writer."""
    path = await opened(http)
    shown = [await http.get(path)]
    shown += [await http.put(path, json=change) for change in CHANGES]
    shown.append(await http.post(f"{path}/cancel", json={"message": "Too late"}))
    assert {answer.status_code for answer in shown} == {200}
    return path, shown


def version(answer: httpx.Response) -> int:
    """The version that an answer shows."""
    return int(answer.headers["etag"].strip('"'))


async def events_of(http: httpx.AsyncClient, path: str, **query: int) -> list[dict[str, Any]]:
    """A page of a checkout's events."""
    answer = await http.get(f"{path}/events", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])
