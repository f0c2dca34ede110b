"""A storefront on HTTP: checkouts to work on, keys to work with, and errors in their one shape."""

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


async def opened(http: httpx.AsyncClient) -> str:
    """The path of a new checkout that holds items alone."""
    answer = await http.post("/v1/checkouts", json={"items": ITEMS})
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


async def canceled(http: httpx.AsyncClient) -> str:
    """The path of a checkout that is closed."""
    path = await opened(http)
    answer = await http.post(f"{path}/cancel")
    assert answer.status_code == 200, answer.text
    return path


def problem(answer: httpx.Response) -> tuple[Any, ...]:
    """An error's status, code and, if it names one, param. All of it must be flat JSON."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) - {"param"} == {"type", "code", "message"}
    assert all(isinstance(value, str) and value for value in body.values())
    assert body["type"] == "invalid_request"
    assert not any(trace in answer.text for trace in ("Traceback", ".py", "<", "pydantic"))
    return (answer.status_code, body["code"], *([body["param"]] if "param" in body else []))


def new_key(dev: DevProcess, *scopes: Scope) -> tuple[str, str]:
    """The name and the token of a new key, once the running system knows it."""
    name = f"key-{uuid.uuid4().hex}"
    _, token = create_key(dev.data / "api-keys.json", name, scopes)
    eventually(lambda: not is_unknown(dev, token), within=5)
    return name, token


def is_unknown(dev: DevProcess, token: str) -> bool:
    """Whether the running system turns a key away."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{dev.http}/v1/checkouts/none", headers=headers).status_code == 401
