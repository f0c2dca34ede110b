"""The calls that write, as the OpenAPI document tells of them."""

from __future__ import annotations

from dataclasses import replace

from domain.commands import (
    CancelCheckout,
    Command,
    CompleteCheckout,
    CreateCheckout,
    RecordPayment,
    UpdateCheckout,
)
from domain.rejection import Rejection, RejectionCode
from services.http_api.errors import in_flight, unavailable
from services.http_api.openapi.call import FAULT, NOT_FOUND, Call, DocumentedError, guards
from services.messages.scenario import scenario
from services.security.api_keys import Scope


def write_calls() -> dict[str, Call]:
    """The calls by their operation id."""
    return {
        "create_checkout": _write(CreateCheckout, _TAKEN),
        "update_checkout": _write(UpdateCheckout, NOT_FOUND, _CLOSED, _IN_PROGRESS),
        "complete_checkout": replace(
            _write(
                CompleteCheckout,
                _IN_FLIGHT,
                NOT_FOUND,
                _CLOSED,
                _IN_PROGRESS,
                _NOT_READY,
                _DECLINED,
            ),
            ends_as=scenario()[RecordPayment.NAME],
        ),
        "cancel_checkout": _write(
            CancelCheckout, NOT_FOUND, _NOT_CANCELABLE, _IN_PROGRESS, body_required=False
        ),
    }


def _write(command: type[Command], *errors: DocumentedError, body_required: bool = True) -> Call:
    return Call(
        Scope.WRITE,
        command,
        scenario()[command.NAME],
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


def _malformed(command: type[Command]) -> Rejection:
    """The very rejection of a body that the command can't be read from."""
    try:
        command.parse({**scenario()[command.NAME].body, "coupon": "SPRING"})
    except Rejection as rejection:
        return rejection
    raise TypeError(f"{command.NAME} takes any field")


_WHEN_INVALID = (
    "the body or the `Idempotency-Key` is malformed or out of bounds, a query parameter was sent, "
    "or an item or option is not known to the merchant book; `param` names the field"
)
_TOO_LARGE = DocumentedError(
    Rejection(RejectionCode.TOO_LARGE, "the body is over 1 MiB"), "the body is over 1 MiB"
)
_UNSUPPORTED = DocumentedError(
    Rejection(
        RejectionCode.UNSUPPORTED_MEDIA_TYPE, "send the body as Content-Type: application/json"
    ),
    "the body is not declared as `application/json`",
)
_CONFLICT = DocumentedError(
    Rejection(
        RejectionCode.IDEMPOTENCY_CONFLICT, "this identity was used before for another command"
    ),
    "the `Idempotency-Key` was used before with another body or `If-Match`",
)
_TAKEN = DocumentedError(
    Rejection(RejectionCode.ALREADY_EXISTS, "checkout checkout_abc123 exists already"),
    "the `Idempotency-Key` made this checkout so long ago that the answer is forgotten",
    replayable=True,
)
_CLOSED = DocumentedError(
    Rejection(RejectionCode.CHECKOUT_CLOSED, "the checkout is canceled for good"),
    "the checkout is closed",
    replayable=True,
)
_NOT_CANCELABLE = DocumentedError(
    Rejection(RejectionCode.NOT_CANCELABLE, "the checkout is canceled: it can't be canceled"),
    "the checkout is closed already",
    replayable=True,
)
_STALE = DocumentedError(
    Rejection(
        RejectionCode.VERSION_MISMATCH, "the checkout is at version 9, not at 5; read it again"
    ),
    "`If-Match` names another version than the checkout's",
    replayable=True,
)
_IN_PROGRESS = DocumentedError(
    Rejection(
        RejectionCode.IN_PROGRESS, "a payment is running; the checkout can't be changed meanwhile"
    ),
    "a payment is running",
    replayable=True,
)
_NOT_READY = DocumentedError(
    Rejection(
        RejectionCode.NOT_READY,
        "the checkout is not ready for payment: fulfillment_address, fulfillment_option_id are missing",
    ),
    "something is missing that the checkout's messages name",
    replayable=True,
)
_DECLINED = DocumentedError(
    Rejection(RejectionCode.PAYMENT_DECLINED, "The card was declined.", "$.payment_data"),
    "the payment was declined: the checkout can be completed in another way",
    replayable=True,
)
_IN_FLIGHT = DocumentedError(
    in_flight(), "the payment that the first request with this key started is still running"
)
