"""The calls that read, as the OpenAPI document tells of them."""

from __future__ import annotations

from domain.refusals import Refused, invalid
from services.api.errors import unavailable
from services.api.openapi.call import FAULT, NOT_FOUND, Call, DocumentedError, Page, guards
from services.api.reading import not_there_then
from services.documents.events import EventPage
from services.documents.story import story
from services.kafka.events import structured_event
from services.keys import Scope


def read_calls() -> dict[str, Call]:
    """The calls by their operation id."""
    opened = story()["CreateCheckout"]
    events = {"data": [structured_event(it) for it in opened.events[:2]], "has_more": True}
    return {
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


def _errors(malformed: Refused, *errors: DocumentedError) -> tuple[DocumentedError, ...]:
    when = "a query parameter is malformed, out of bounds, repeated or not known; `param` names it"
    return (
        *guards(Scope.READ),
        DocumentedError(malformed, when),
        *errors,
        DocumentedError(
            unavailable("the checkout can't be read now; try again"),
            "neither Redis nor the event store could be read in time",
        ),
        FAULT,
    )
