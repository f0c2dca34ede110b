"""The calls that write, as the OpenAPI document tells of them."""

from __future__ import annotations

from domain.commands import CancelCheckout, Command, CreateCheckout, UpdateCheckout
from domain.refusals import RefusalCode, Refused
from services.api.errors import unavailable
from services.api.openapi.call import FAULT, NOT_FOUND, Call, DocumentedError, guards
from services.documents.story import story
from services.keys import Scope


def write_calls() -> dict[str, Call]:
    """The calls by their operation id."""
    return {
        "create_checkout": _write(CreateCheckout, _TAKEN),
        "update_checkout": _write(UpdateCheckout, NOT_FOUND, _CLOSED),
        "cancel_checkout": _write(CancelCheckout, NOT_FOUND, _NOT_CANCELABLE, body_required=False),
    }


def _write(command: type[Command], *errors: DocumentedError, body_required: bool = True) -> Call:
    return Call(
        Scope.WRITE,
        command,
        story()[command.NAME],
        (
            *guards(Scope.WRITE),
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
            FAULT,
        ),
        body_required,
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
