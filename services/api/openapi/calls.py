"""What each call takes and what it may answer: the table that the OpenAPI document is written from."""

from __future__ import annotations

from dataclasses import dataclass

from domain.commands import CancelCheckout, Command, CreateCheckout, UpdateCheckout
from domain.refusals import RefusalCode, Refused, invalid
from services.api.errors import ApiError, fault, forbidden, unauthorized, unavailable
from services.documents.story import Chapter, story
from services.keys import Scope


@dataclass(frozen=True, slots=True)
class DocumentedError:
    """An error that a call may answer, as it looks, and when it comes.

    `replayable`: a write with the same `Idempotency-Key` gets it again.
    """

    error: ApiError | Refused
    when: str
    replayable: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call: the scope that it needs, the command that is its body (None: it takes none), the
    chapter of the examples' story that it shows, and its errors in the order they are checked.
    """

    scope: Scope
    command: type[Command] | None
    chapter: Chapter
    errors: tuple[DocumentedError, ...]
    body_required: bool = True


def calls() -> dict[str, Call]:
    """The calls by their operation id."""
    return {
        "create_checkout": _write(CreateCheckout, _TAKEN),
        "get_checkout": _read("CreateCheckout", _NOT_FOUND),
        "update_checkout": _write(UpdateCheckout, _NOT_FOUND, _CLOSED),
        "cancel_checkout": _write(CancelCheckout, _NOT_FOUND, _NOT_CANCELABLE, body_required=False),
    }


def _read(chapter: str, *errors: DocumentedError) -> Call:
    malformed = invalid("this call takes no query parameters")
    return Call(
        Scope.READ,
        None,
        story()[chapter],
        (
            *_guards(Scope.READ),
            DocumentedError(malformed, "a query parameter was sent; this call takes none"),
            *errors,
            DocumentedError(
                unavailable("the checkout can't be read now; try again"),
                "neither Redis nor the event store could be read in time",
            ),
            _FAULT,
        ),
    )


def _write(command: type[Command], *errors: DocumentedError, body_required: bool = True) -> Call:
    return Call(
        Scope.WRITE,
        command,
        story()[command.NAME],
        (
            *_guards(Scope.WRITE),
            _TOO_LARGE,
            _UNSUPPORTED,
            DocumentedError(_malformed(command), _WHEN_INVALID, replayable=True),
            _CONFLICT,
            *errors,
            _STALE,
            DocumentedError(
                unavailable(
                    "the outcome is not known yet: the write may have been recorded; "
                    "it is safe to repeat with the same Idempotency-Key"
                ),
                "the outcome was not known within 5 seconds, so that the write may have been "
                "recorded, or it was not begun; the message says which",
            ),
            _FAULT,
        ),
        body_required,
    )


def _guards(scope: Scope) -> tuple[DocumentedError, DocumentedError]:
    return (
        DocumentedError(unauthorized(), "there is no API key, or it is unknown or revoked"),
        DocumentedError(forbidden(scope), f"the API key lacks the scope `{scope}`"),
    )


def _malformed(command: type[Command]) -> Refused:
    """The very refusal of a body that the command can't be read from."""
    try:
        command.parse({**story()[command.NAME].body, "coupon": "SPRING"})
    except Refused as refusal:
        return refusal
    raise TypeError(f"{command.NAME} takes any field")


_WHEN_INVALID = (
    "the body or the `Idempotency-Key` is malformed or out of bounds, a query parameter was sent, "
    "or an item or option is not known to the merchant book; `param` names the field"
)
_TOO_LARGE = DocumentedError(
    Refused(RefusalCode.TOO_LARGE, "the body is over 1 MiB"), "the body is over 1 MiB"
)
_UNSUPPORTED = DocumentedError(
    Refused(RefusalCode.UNSUPPORTED_MEDIA_TYPE, "send the body as Content-Type: application/json"),
    "the body is not declared as `application/json`",
)
_CONFLICT = DocumentedError(
    Refused(RefusalCode.IDEMPOTENCY_CONFLICT, "this identity was used before for another command"),
    "the `Idempotency-Key` was used before with another body or `If-Match`",
)
_NOT_FOUND = DocumentedError(
    Refused(RefusalCode.NOT_FOUND, "there is no such checkout"),
    "there is no such checkout",
    replayable=True,
)
_TAKEN = DocumentedError(
    Refused(RefusalCode.ALREADY_EXISTS, "checkout checkout_abc123 exists already"),
    "the `Idempotency-Key` made this checkout so long ago that the answer is forgotten",
    replayable=True,
)
_CLOSED = DocumentedError(
    Refused(RefusalCode.CHECKOUT_CLOSED, "the checkout is canceled for good"),
    "the checkout is closed",
    replayable=True,
)
_NOT_CANCELABLE = DocumentedError(
    Refused(RefusalCode.NOT_CANCELABLE, "the checkout is canceled: it can't be canceled"),
    "the checkout is closed already",
    replayable=True,
)
_STALE = DocumentedError(
    Refused(RefusalCode.VERSION_MISMATCH, "the checkout is at version 9, not at 5; read it again"),
    "`If-Match` names another version than the checkout's",
    replayable=True,
)
_FAULT = DocumentedError(fault(), "a fault of the service")
