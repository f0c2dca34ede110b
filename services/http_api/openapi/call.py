"""A call as the OpenAPI document tells of it, and the errors that reads and writes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from domain.commands import Command
from domain.rejection import Rejection, RejectionCode
from services.http_api.errors import ApiError, fault, forbidden, unauthorized
from services.messages.scenario import ScenarioStep
from services.security.api_keys import Scope


@dataclass(frozen=True, slots=True)
class DocumentedError:
    """An error that a call may answer, as it looks, and when it comes.

    `replayable`: a write with the same `Idempotency-Key` gets it again.
    """

    error: ApiError | Rejection
    when: str
    replayable: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """An answer that is no checkout: the class of its JSON, what it is, and an example."""

    model: type[BaseModel]
    description: str
    example: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A call: the scope that it needs, the command that is its body (None: it takes none), the
    chapter of the examples' scenario that it shows, and its errors in the order they are checked.

    `query` are the components of its query parameters, `page` is its answer if that is no checkout.
    `ends_as` is the chapter that its success shows, if that is another one: then the call's own chapter
    is what a 202 shows.
    """

    scope: Scope
    command: type[Command] | None
    chapter: ScenarioStep
    errors: tuple[DocumentedError, ...]
    body_required: bool = True
    query: tuple[str, ...] = ()
    page: Page | None = None
    ends_as: ScenarioStep | None = None


def guards(scope: Scope) -> tuple[DocumentedError, DocumentedError]:
    """Who is turned away before anything else is looked at."""
    return (
        DocumentedError(unauthorized(), "there is no API key, or it is unknown or revoked"),
        DocumentedError(forbidden(scope), f"the API key lacks the scope `{scope}`"),
    )


NOT_FOUND = DocumentedError(
    Rejection(RejectionCode.NOT_FOUND, "there is no such checkout"),
    "there is no such checkout",
    replayable=True,
)
FAULT = DocumentedError(fault(), "a fault of the service")
