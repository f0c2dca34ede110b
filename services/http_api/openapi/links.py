"""The calls that can follow when a checkout is shown (OpenAPI links), each described once."""

from __future__ import annotations

from typing import Any

_SHOWN = {"checkout_id": "$response.body#/id"}

LINKS: dict[str, dict[str, Any]] = {
    "Get": {
        "operationId": "get_checkout",
        "parameters": _SHOWN,
        "description": "Read its current state.",
    },
    "Update": {
        "operationId": "update_checkout",
        "parameters": _SHOWN,
        "description": "Update it.",
    },
    "UpdateThisVersion": {
        "operationId": "update_checkout",
        "parameters": {**_SHOWN, "header.If-Match": "$response.header.ETag"},
        "description": "Update it, only if it has not changed since.",
    },
    "Complete": {
        "operationId": "complete_checkout",
        "parameters": _SHOWN,
        "description": "Pay for it, once it is `ready_for_payment`.",
    },
    "Cancel": {
        "operationId": "cancel_checkout",
        "parameters": _SHOWN,
        "description": "Close it without an order.",
    },
    "Events": {
        "operationId": "list_events",
        "parameters": _SHOWN,
        "description": "List its events.",
    },
    "Older": {
        "operationId": "list_checkouts",
        "parameters": {"cursor": "$response.body#/id"},
        "description": "List the checkouts created before it.",
    },
}


def link_references() -> dict[str, dict[str, str]]:
    """References to all links."""
    return {name: {"$ref": f"#/components/links/{name}"} for name in LINKS}
