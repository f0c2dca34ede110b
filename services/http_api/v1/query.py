"""The query parameters of `/v1/checkouts`."""

from __future__ import annotations

from domain.rejection import invalid
from domain.values import CHECKOUT_ID_PATTERN, MAX_TEXT, Status
from services.http_api.errors import no_such_cursor
from services.http_api.query_parameters import QueryParameter, date_time, whole_number
from services.http_api.responses import is_checkout_id

MAX_CHECKOUTS = 100
MAX_EVENTS = 1_000


def _status(text: str) -> Status:
    if text not in set(Status):
        raise invalid(f"status must be one of {', '.join(Status)}", "$.status")
    return Status(text)


def _buyer_email(text: str) -> str:
    if not 1 <= len(text) <= MAX_TEXT:
        raise invalid(f"buyer_email must have 1 to {MAX_TEXT} characters", "$.buyer_email")
    return text


def _cursor(text: str) -> str:
    if not is_checkout_id(text):
        raise no_such_cursor()
    return text


VERSION = whole_number(
    "Version",
    "version",
    "Show the checkout as it was at this version: after so many events. Excludes `at`.",
    3,
    least=1,
)
POINT_IN_TIME = (
    VERSION,
    date_time(
        "At",
        "at",
        "Show the checkout as it was at this time: after the last event that is not later. RFC 3339, "
        "with its offset.",
        "2024-09-30T14:05:00Z",
    ),
)
EVENTS_LIMIT = whole_number(
    "EventsLimit",
    "limit",
    "The maximum number of events.",
    50,
    least=1,
    most=MAX_EVENTS,
    default=100,
)
EVENTS = (
    whole_number(
        "EventsAfter",
        "after",
        "Only the events after this version: the last one that was read.",
        3,
        least=0,
        default=0,
    ),
    EVENTS_LIMIT,
)
CURSOR = QueryParameter(
    "Cursor",
    "cursor",
    "Only checkouts created before this one: the id of the last one seen. It may have left the "
    "filter since.",
    {"type": "string", "pattern": CHECKOUT_ID_PATTERN},
    "checkout_abc123",
    _cursor,
)
LIST = (
    QueryParameter(
        "Status",
        "status",
        "Only checkouts of this status.",
        {"type": "string", "enum": [status.value for status in Status]},
        "ready_for_payment",
        _status,
    ),
    QueryParameter(
        "BuyerEmail",
        "buyer_email",
        "Only checkouts whose buyer has exactly this e-mail address.",
        {"type": "string", "minLength": 1, "maxLength": MAX_TEXT},
        "john.doe@example.com",
        _buyer_email,
    ),
    date_time(
        "CreatedAfter",
        "created_after",
        "Only checkouts created after this time, exclusive. RFC 3339, with its offset.",
        "2024-09-30T00:00:00Z",
    ),
    date_time(
        "CreatedBefore",
        "created_before",
        "Only checkouts created before this time, exclusive. RFC 3339, with its offset.",
        "2024-10-01T00:00:00Z",
    ),
    whole_number(
        "ListLimit",
        "limit",
        "The maximum number of checkouts.",
        50,
        least=1,
        most=MAX_CHECKOUTS,
        default=20,
    ),
    CURSOR,
)
