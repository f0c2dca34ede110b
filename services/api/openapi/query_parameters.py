"""The query parameters of the calls that read, each described once, by a name of its own."""

from __future__ import annotations

from typing import Any

from services.api.reading import DEFAULT_EVENTS, MAX_EVENTS

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
}
