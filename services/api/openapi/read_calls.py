"""The calls that read, as the OpenAPI document tells of them."""

from __future__ import annotations

from domain.refusals import invalid
from services.api.errors import unavailable
from services.api.openapi.call import FAULT, NOT_FOUND, Call, DocumentedError, guards
from services.documents.story import story
from services.keys import Scope


def read_calls() -> dict[str, Call]:
    """The calls by their operation id."""
    return {"get_checkout": _read("CreateCheckout", NOT_FOUND)}


def _read(chapter: str, *errors: DocumentedError) -> Call:
    malformed = invalid("this call takes no query parameters")
    return Call(
        Scope.READ,
        None,
        story()[chapter],
        (
            *guards(Scope.READ),
            DocumentedError(malformed, "a query parameter was sent; this call takes none"),
            *errors,
            DocumentedError(
                unavailable("the checkout can't be read now; try again"),
                "neither Redis nor the event store could be read in time",
            ),
            FAULT,
        ),
    )
