"""The calls that read, as the OpenAPI document tells of them."""

from __future__ import annotations

from domain.rejection import Rejection, invalid
from projections.checkout_view import render_view
from projections.list_page import list_item
from services.http_api.checkout_list import no_list, no_such_cursor
from services.http_api.errors import unavailable
from services.http_api.openapi.call import FAULT, NOT_FOUND, Call, DocumentedError, Page, guards
from services.http_api.reading import not_there_then
from services.messages.checkout_list import CheckoutPage
from services.messages.event_messages import structured_event
from services.messages.event_page import EventPage
from services.messages.scenario import scenario
from services.security.api_keys import Scope


def read_calls() -> dict[str, Call]:
    """The calls by their operation id."""
    opened = scenario()["CreateCheckout"]
    events = {"data": [structured_event(it) for it in opened.events[:2]], "has_more": True}
    listed = {"data": [list_item(render_view(opened.after))], "has_more": False, "total_count": 1}
    return {
        "list_checkouts": Call(
            Scope.READ,
            None,
            opened,
            _errors(no_such_cursor(), unreadable=_NO_LIST),
            query=_LIST_QUERY,
            page=Page(CheckoutPage, "The checkouts, newest first.", listed),
        ),
        "get_checkout": Call(
            Scope.READ,
            None,
            opened,
            _errors(
                invalid("version and at exclude each other", "$.at"),
                DocumentedError(
                    not_there_then(), "there is no such checkout, or it had no such version then"
                ),
            ),
            query=("Version", "At"),
        ),
        "list_events": Call(
            Scope.READ,
            None,
            opened,
            _errors(invalid("limit must be from 1 to 1000", "$.limit"), NOT_FOUND),
            query=("EventsAfter", "EventsLimit"),
            page=Page(EventPage, "The events, oldest first.", events),
        ),
    }


_LIST_QUERY = ("Status", "BuyerEmail", "CreatedAfter", "CreatedBefore", "ListLimit", "Cursor")
_UNREADABLE = DocumentedError(
    unavailable("the checkout can't be read now; try again"),
    "neither Redis nor the event store could be read in time",
)
_NO_LIST = DocumentedError(no_list(), "Redis is away, or doesn't hold all checkouts yet")


def _errors(
    malformed: Rejection, *errors: DocumentedError, unreadable: DocumentedError = _UNREADABLE
) -> tuple[DocumentedError, ...]:
    when = "a query parameter is malformed, out of bounds, repeated or not known; `param` names it"
    return (
        *guards(Scope.READ),
        DocumentedError(malformed, when),
        *errors,
        unreadable,
        FAULT,
    )
