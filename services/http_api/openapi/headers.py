"""The headers of responses, each described once."""

from __future__ import annotations

from typing import Any

from services.http_api.request_headers import MAX_TEXT, REQUEST_ID, VISIBLE
from services.messages.scenario import CHECKOUT_ID

HEADERS: dict[str, dict[str, Any]] = {
    "Request-Id": {
        "description": "The request's id: the one that was sent, or a generated one.",
        "required": True,
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_TEXT,
            "pattern": f"^{VISIBLE}+$",
        },
        "example": REQUEST_ID.example,
    },
    "ETag": {
        "description": "The version of the checkout in the response. After a restore that lost history, "
        "a dot and the store's epoch follow.",
        "required": True,
        "schema": {"type": "string", "pattern": r'^"[0-9]+(\.[0-9]+)?"$'},
        "example": '"5"',
    },
    "Cache-Control": {
        "description": "A client may keep a copy, and must revalidate it before each use.",
        "required": True,
        "schema": {"type": "string", "const": "no-cache"},
    },
    "Location": {
        "description": "The path of the checkout.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
        "example": f"/v1/checkouts/{CHECKOUT_ID}",
    },
    "Idempotent-Replayed": {
        "description": "Present if this is the first answer to this `Idempotency-Key`, sent again.",
        "schema": {"type": "string", "const": "true"},
    },
    "Retry-After": {
        "description": "Seconds to wait before the next attempt.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "example": "1",
    },
    "Allow": {
        "description": "The methods that the path allows now: empty, because a closed checkout can't "
        "be canceled.",
        "required": True,
        "schema": {"type": "string", "maxLength": 0},
        "example": "",
    },
    "WWW-Authenticate": {
        "description": "How to send an API key.",
        "required": True,
        "schema": {"type": "string", "const": "Bearer"},
    },
}


def header_references(*names: str) -> dict[str, dict[str, str]]:
    """References to the headers of these names."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def optional_headers(*names: str) -> dict[str, dict[str, Any]]:
    """The headers of these names, for a response that does not always have them."""
    return {name: {**HEADERS[name], "required": False} for name in names}
