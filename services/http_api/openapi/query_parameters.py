"""The query parameters of the calls that read, each described once, by a name of its own."""

from __future__ import annotations

from typing import Any

from domain.values import CHECKOUT_ID_PATTERN, MAX_TEXT, Status
from services.http_api.checkout_list import DEFAULT_CHECKOUTS, MAX_CHECKOUTS
from services.http_api.reading import DEFAULT_EVENTS, MAX_EVENTS

QUERY_PARAMETERS: dict[str, dict[str, Any]] = {
    "Version": {
        "name": "version",
        "in": "query",
        "description": "Show the checkout as it was at this version: after so many events. "
        "Excludes `at`.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 3,
    },
    "At": {
        "name": "at",
        "in": "query",
        "description": "Show the checkout as it was at this time: after the last event that is not "
        "later. RFC 3339, with its offset.",
        "schema": {"type": "string", "format": "date-time"},
        "example": "2024-09-30T14:05:00Z",
    },
    "EventsAfter": {
        "name": "after",
        "in": "query",
        "description": "Only the events after this version: the last one that was read.",
        "schema": {"type": "integer", "minimum": 0, "default": 0},
        "example": 3,
    },
    "EventsLimit": {
        "name": "limit",
        "in": "query",
        "description": "At most so many events.",
        "schema": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_EVENTS,
            "default": DEFAULT_EVENTS,
        },
        "example": 50,
    },
    "Status": {
        "name": "status",
        "in": "query",
        "description": "Only checkouts of this status.",
        "schema": {"type": "string", "enum": [status.value for status in Status]},
        "example": "ready_for_payment",
    },
    "BuyerEmail": {
        "name": "buyer_email",
        "in": "query",
        "description": "Only checkouts whose buyer has this very email, compared to the letter.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT},
        "example": "john.doe@example.com",
    },
    "CreatedAfter": {
        "name": "created_after",
        "in": "query",
        "description": "Only checkouts made after this time, and not at it. RFC 3339, with its "
        "offset.",
        "schema": {"type": "string", "format": "date-time"},
        "example": "2024-09-30T00:00:00Z",
    },
    "CreatedBefore": {
        "name": "created_before",
        "in": "query",
        "description": "Only checkouts made before this time, and not at it. RFC 3339, with its "
        "offset.",
        "schema": {"type": "string", "format": "date-time"},
        "example": "2024-10-01T00:00:00Z",
    },
    "ListLimit": {
        "name": "limit",
        "in": "query",
        "description": "At most so many checkouts.",
        "schema": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_CHECKOUTS,
            "default": DEFAULT_CHECKOUTS,
        },
        "example": 50,
    },
    "Cursor": {
        "name": "cursor",
        "in": "query",
        "description": "Only checkouts made before this one: the id of the last one seen. It may "
        "have left the filter since.",
        "schema": {"type": "string", "pattern": CHECKOUT_ID_PATTERN},
        "example": "checkout_abc123",
    },
}
