"""The headers of requests and responses, each described once."""

from __future__ import annotations

from typing import Any

from domain.values import CHECKOUT_ID_PATTERN
from services.http_api.requests import MAX_IDEMPOTENCY_KEY
from services.messages.scenario import CHECKOUT_ID

_REQUEST_ID = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
_ENTITY_TAG = {"type": "string", "pattern": '^"[0-9]+"$'}

PARAMETERS: dict[str, dict[str, Any]] = {
    "CheckoutId": {
        "name": "checkout_id",
        "in": "path",
        "required": True,
        "description": "The checkout's id.",
        "schema": {"type": "string", "pattern": CHECKOUT_ID_PATTERN},
        "example": CHECKOUT_ID,
    },
    "Request-Id": {
        "name": "Request-Id",
        "in": "header",
        "description": "Comes back in the answer, and goes into the events as their correlation "
        "id. Made if it is absent, longer than 255 characters, or not of visible ASCII alone.",
        "schema": {"type": "string"},
        "example": "visit-1",
    },
    "traceparent": {
        "name": "traceparent",
        "in": "header",
        "description": "A W3C trace context, carried on with the events.",
        "schema": {"type": "string"},
        "example": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes the write safe to repeat: the same key, scoped to API key, method "
        "and path, with the same body and `If-Match` gets the first answer again and does nothing "
        "twice. Remembered for at least 7 days. In UTF-8, without control characters.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_IDEMPOTENCY_KEY,
            "pattern": r"^[^\x00-\x1f\x7f-\x9f]+$",
        },
        "example": "5f8a2c1e-update-1",
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "Write only if the checkout is still at this version: the `ETag` of an "
        'earlier answer. `*` is any version; a checkout to be created is at `"0"`. Of a list, the '
        "one tag that is a version's counts; several are refused.",
        "schema": {"type": "string"},
        "example": '"5"',
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "Answer 304, without a body, if the checkout is still at one of these "
        "versions: `ETag`s of earlier answers, or `*`.",
        "schema": {"type": "string"},
        "example": '"5"',
    },
}

PAGE_PARAMETERS = ("Request-Id",)
READ_PARAMETERS = ("Request-Id", "If-None-Match")
WRITE_PARAMETERS = ("Request-Id", "traceparent", "Idempotency-Key", "If-Match")

HEADERS: dict[str, dict[str, Any]] = {
    "Request-Id": {
        "description": "The request's id, as it was sent or as it was made.",
        "required": True,
        "schema": _REQUEST_ID,
        "example": "visit-1",
    },
    "ETag": {
        "description": "The version of the checkout that is shown.",
        "required": True,
        "schema": _ENTITY_TAG,
        "example": '"5"',
    },
    "Cache-Control": {
        "description": "A copy may be kept, and must be asked for anew before it is used.",
        "required": True,
        "schema": {"type": "string", "const": "no-cache"},
    },
    "Location": {
        "description": "Where the checkout is to be read.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
        "example": f"/v1/checkouts/{CHECKOUT_ID}",
    },
    "Idempotent-Replayed": {
        "description": "There if this is the first answer to this `Idempotency-Key` again.",
        "schema": {"type": "string", "const": "true"},
    },
    "Retry-After": {
        "description": "Seconds to wait before the next attempt.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "example": "1",
    },
    "Allow": {
        "description": "What the path can be asked for now: of a closed checkout nothing at all, "
        "so that this is empty.",
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


def parameter_references(*names: str) -> list[dict[str, str]]:
    """References to the parameters of these names."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def header_references(*names: str) -> dict[str, dict[str, str]]:
    """References to the headers of these names."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def optional_headers(*names: str) -> dict[str, dict[str, Any]]:
    """The headers of these names, for a response that does not always have them."""
    return {name: {**HEADERS[name], "required": False} for name in names}
