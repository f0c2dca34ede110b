"""The errors of `/v1/checkouts`, each with the condition under which it is answered.

The example of each is the error itself: made by the function that raises it, or provoked from the domain.
"""

from __future__ import annotations

from domain.commands import (
    CancelCheckout,
    Command,
    CompleteCheckout,
    CreateCheckout,
    RecordDecline,
    UpdateCheckout,
)
from domain.payment import rejection_of
from domain.rejection import Rejection, idempotency_conflict
from services.http_api import errors
from services.http_api.operation import ErrorCase
from services.http_api.query_parameters import QueryParameter
from services.messages.scenario import provoked_rejection, scenario
from services.security.api_keys import Scope


def _payment_declined() -> Rejection:
    rejection = rejection_of(scenario()[RecordDecline.NAME].events[-1].event)
    if rejection is None:
        raise TypeError("the scenario's declined payment is not declined")
    return rejection


FAULT = ErrorCase(errors.fault, "a fault of the service")
NOT_FOUND = ErrorCase(errors.no_such_checkout, "there is no such checkout", replayable=True)
UNREADABLE = ErrorCase(errors.unreadable, "neither Redis nor the event store could be read in time")
NO_LIST = ErrorCase(errors.no_list, "Redis is down, or does not hold all checkouts yet")
TOO_LARGE = ErrorCase(errors.too_large, "the body is over 1 MiB")
UNSUPPORTED = ErrorCase(
    errors.unsupported_media_type, "the body is not declared as `application/json`"
)
CONFLICT = ErrorCase(
    idempotency_conflict, "the `Idempotency-Key` was used before with another body or `If-Match`"
)
TAKEN = ErrorCase(
    lambda: provoked_rejection(CreateCheckout, after=CreateCheckout),
    "the `Idempotency-Key` made this checkout so long ago that the answer is forgotten",
    replayable=True,
)
CLOSED = ErrorCase(
    lambda: provoked_rejection(UpdateCheckout, after=CancelCheckout),
    "the checkout is closed",
    replayable=True,
)
NOT_CANCELABLE = ErrorCase(
    lambda: provoked_rejection(CancelCheckout, after=CancelCheckout),
    "the checkout is closed already",
    replayable=True,
)
STALE = ErrorCase(
    lambda: provoked_rejection(UpdateCheckout, after=UpdateCheckout, expected_version=5),
    "`If-Match` names another version than the checkout's",
    replayable=True,
)
IN_PROGRESS = ErrorCase(
    lambda: provoked_rejection(UpdateCheckout, after=CompleteCheckout),
    "a payment is running",
    replayable=True,
)
NOT_READY = ErrorCase(
    lambda: provoked_rejection(CompleteCheckout, after=None),
    "something is missing that the checkout's messages name",
    replayable=True,
)
DECLINED = ErrorCase(
    _payment_declined,
    "the payment was declined: the checkout can be completed in another way",
    replayable=True,
)
IN_FLIGHT = ErrorCase(
    errors.in_flight, "the payment that the first request with this key started is still running"
)
OUTCOME_UNKNOWN = ErrorCase(
    errors.outcome_unknown,
    "the outcome was not known within 5 seconds, so that the write may have been recorded, or it was "
    "not begun; the message says which",
)


def guards(scope: Scope) -> tuple[ErrorCase, ErrorCase]:
    """The checks before all others."""
    return (
        ErrorCase(errors.unauthorized, "there is no API key, or it is unknown or revoked"),
        ErrorCase(lambda: errors.forbidden(scope), f"the API key lacks the scope `{scope}`"),
    )


def malformed_query(parameter: QueryParameter, text: str) -> ErrorCase:
    """The rejection of a query; its example is that of a parameter which can't be `text`."""

    def error() -> Rejection:
        try:
            parameter.read(text)
        except Rejection as rejection:
            return rejection
        raise TypeError(f"{parameter.name} may be {text}")

    when = "a query parameter is malformed, out of bounds, repeated or not known; `param` names it"
    return ErrorCase(error, when)


def malformed_body(command: type[Command]) -> ErrorCase:
    """The rejection of a write's body; its example is that of an unknown field."""

    def error() -> Rejection:
        try:
            command.parse({**scenario()[command.NAME].body, "coupon": "SPRING"})
        except Rejection as rejection:
            return rejection
        raise TypeError(f"{command.NAME} takes any field")

    when = (
        "the body or the `Idempotency-Key` is malformed or out of bounds, a query parameter was sent, "
        "or an item or option is not known to the merchant book; `param` names the field"
    )
    return ErrorCase(error, when, replayable=True)
