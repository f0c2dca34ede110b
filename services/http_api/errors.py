"""Errors of the HTTP API as flat JSON, each made in one place: never a stack trace, never HTML."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse, Response

from domain.rejection import Rejection, RejectionCode, invalid
from services.command_handling import NO_VERSION
from services.messages.errors import STATUS, error_body, flat_error

RETRY_AFTER_SECONDS = 1
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
"""The methods that HTTP has for resources."""


class ApiError(Exception):
    """An error answer that is not a rejection by the domain."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The HTTP response."""
        body = error_body(self.status, self.code, self.message, self.param)
        return JSONResponse(body, self.status, self.headers)


def unauthorized() -> ApiError:
    """401: the API key is missing, unknown or revoked."""
    return ApiError(
        HTTPStatus.UNAUTHORIZED,
        "unauthorized",
        "send a valid API key as: Authorization: Bearer KEY",
        headers={"WWW-Authenticate": "Bearer"},
    )


def forbidden(scope: str) -> ApiError:
    """403: the API key lacks the scope."""
    return ApiError(HTTPStatus.FORBIDDEN, "forbidden", f"this API key lacks the scope {scope}")


def unavailable(message: str) -> ApiError:
    """503: try again."""
    return ApiError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "service_unavailable",
        message,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def in_flight() -> ApiError:
    """409: the first request with this `Idempotency-Key` started a payment that is still running."""
    return ApiError(
        HTTPStatus.CONFLICT,
        "idempotency_in_flight",
        "the payment that the first request with this Idempotency-Key started is still running",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def outcome_unknown() -> ApiError:
    """503: the deadline passed before the outcome was known."""
    return unavailable(
        "the outcome is not known yet: the write may have been recorded; "
        "it is safe to repeat with the same Idempotency-Key"
    )


def overloaded() -> ApiError:
    """503: the queue of writes is full."""
    return unavailable("too many writes are waiting; this one was not begun")


def dropped() -> ApiError:
    """503: the deadline passed before the write was begun."""
    return unavailable("the write was not begun in time, and will not be; send it again")


def unreadable() -> ApiError:
    """503: neither Redis nor the event store answered in time."""
    return unavailable("the checkout can't be read now; try again")


def no_list() -> ApiError:
    """503: Redis is down, or does not hold all checkouts yet."""
    return unavailable("the list can't be read now: its index is down or being built; try again")


def stopping() -> ApiError:
    """503: this process was stopped during a request."""
    return unavailable(
        "this process is stopping: a write may have been recorded; "
        "it is safe to repeat with the same Idempotency-Key"
    )


def fault() -> ApiError:
    """500: a fault of the service. Its details are in the log only."""
    return ApiError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "something went wrong here; it was recorded for the operators",
    )


def too_large() -> Rejection:
    """413: the body is over the limit."""
    return Rejection(RejectionCode.TOO_LARGE, "the body is over 1 MiB")


def unsupported_media_type() -> Rejection:
    """415: the body is not declared as JSON."""
    return Rejection(
        RejectionCode.UNSUPPORTED_MEDIA_TYPE, "send the body as Content-Type: application/json"
    )


def no_such_checkout() -> Rejection:
    """404: no checkout has this id."""
    return Rejection(RejectionCode.NOT_FOUND, "there is no such checkout")


def no_such_version() -> Rejection:
    """404: the checkout does not exist, or did not at that version or time."""
    return Rejection(
        RejectionCode.NOT_FOUND,
        "there is no such checkout, or it has no such version or was not there yet",
    )


def no_such_cursor() -> Rejection:
    """400: no checkout has the id to continue after."""
    return invalid("cursor must be the id of a checkout, the last one seen", "$.cursor")


def version_and_time() -> Rejection:
    """400: a read names both a version and a time."""
    return invalid("version and at exclude each other", "$.at")


def rejected(rejection: Rejection, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a rejected command."""
    more = {**(headers or {}), **rejection_headers(rejection)}
    return JSONResponse(flat_error(_of_tags(rejection)), STATUS[rejection.code], more)


def rejection_headers(rejection: Rejection) -> dict[str, str]:
    """The headers that HTTP requires with a rejection."""
    if rejection.code is RejectionCode.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    # A 405 must list the methods of the path; a closed checkout can no longer be canceled.
    return {"Allow": ""} if rejection.code is RejectionCode.NOT_CANCELABLE else {}


def _of_tags(rejection: Rejection) -> Rejection:
    """A version mismatch in the words of `If-Match`: the domain knows nothing of entity tags."""
    if rejection.code is not RejectionCode.VERSION_MISMATCH:
        return rejection
    message = rejection.message.replace(
        f", not at {NO_VERSION};", ", and If-Match names none of its versions;"
    )
    return Rejection(rejection.code, message, rejection.param)
