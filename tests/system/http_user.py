"""Helpers for HTTP clients: create checkouts and API keys, and check the error format."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from services.security.api_keys import Scope, create_key
from tests.eventually import eventually
from tests.system.dev_process import DevProcess

ITEMS = [{"id": "item_123", "quantity": 2}]
ADDRESS = {
    "name": "John Doe",
    "line_one": "123 Main St",
    "city": "San Francisco",
    "state": "CA",
    "country": "US",
    "postal_code": "94105",
}
BUYER = {"first_name": "John", "last_name": "Doe", "email": "john.doe@example.com"}


async def create_checkout(http: httpx.AsyncClient) -> str:
    """Create a checkout with items only; returns its path."""
    answer = await http.post("/v1/checkouts", json={"items": ITEMS})
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


async def create_canceled_checkout(http: httpx.AsyncClient) -> str:
    """Create a checkout and cancel it; returns its path."""
    path = await create_checkout(http)
    answer = await http.post(f"{path}/cancel")
    assert answer.status_code == 200, answer.text
    return path


def error_of(answer: httpx.Response) -> tuple[Any, ...]:
    """Status, code and, if present, param of an error response, which must be flat JSON."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) - {"param"} == {"type", "code", "message"}
    assert all(isinstance(value, str) and value for value in body.values())
    assert body["type"] == "invalid_request"
    assert not any(trace in answer.text for trace in ("Traceback", ".py", "<", "pydantic"))
    return (answer.status_code, body["code"], *([body["param"]] if "param" in body else []))


def create_api_key(dev: DevProcess, *scopes: Scope) -> tuple[str, str]:
    """Create an API key and wait until the running system accepts it; returns name and token."""
    name = f"key-{uuid.uuid4().hex}"
    _, token = create_key(dev.data / "api-keys.json", name, scopes)
    eventually(lambda: not is_rejected_key(dev, token), within=5)
    return name, token


def is_rejected_key(dev: DevProcess, token: str) -> bool:
    """Whether the running system answers this API key with 401."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{dev.http}/v1/checkouts/none", headers=headers).status_code == 401
