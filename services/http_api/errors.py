"""What HTTP clients get instead of an answer: flat JSON, never a stack trace, never HTML."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from domain.rejection import Rejection, RejectionCode
from services.messages.errors import STATUS, error_body, flat_error

RETRY_AFTER_SECONDS = 1
NO_VERSION = -1
"""What an entity tag that is no version's stands for: no checkout is ever at it."""
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
"""The methods that HTTP has for resources."""


class ApiError(Exception):
    """An answer other than the one asked for, which is not a rejection by the domain."""

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
        """The answer."""
        body = error_body(self.status, self.code, self.message, self.param)
        return JSONResponse(body, self.status, self.headers)


def unauthorized() -> ApiError:
    """401: no key, or one that is unknown or revoked."""
    return ApiError(
        HTTPStatus.UNAUTHORIZED,
        "unauthorized",
        "send a valid API key as: Authorization: Bearer KEY",
        headers={"WWW-Authenticate": "Bearer"},
    )


def forbidden(scope: str) -> ApiError:
    """403: a valid key without the scope."""
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
    """409: what the first request with this `Idempotency-Key` began is not at its end."""
    return ApiError(
        HTTPStatus.CONFLICT,
        "idempotency_in_flight",
        "the payment that the first request with this Idempotency-Key started is still running",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def stopping() -> ApiError:
    """503: this process is being stopped amid a request."""
    return unavailable(
        "this process is stopping: a write may have been recorded; "
        "it is safe to repeat with the same Idempotency-Key"
    )


def fault() -> ApiError:
    """500: a fault of ours, told to the operators and not to the client."""
    return ApiError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "something went wrong here; it was recorded for the operators",
    )


def refused(rejection: Rejection, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a refused command."""
    told = {**(headers or {}), **rejection_headers(rejection)}
    return JSONResponse(flat_error(_of_tags(rejection)), STATUS[rejection.code], told)


def rejection_headers(rejection: Rejection) -> dict[str, str]:
    """What HTTP wants to be told with a rejection besides its body."""
    # A 405 has to name the methods of the path, and the cancel of a closed checkout has none left.
    return {"Allow": ""} if rejection.code is RejectionCode.NOT_CANCELABLE else {}


def _of_tags(rejection: Rejection) -> Rejection:
    """A rejection for the version, where `If-Match` named none: the domain knows nothing of tags."""
    if rejection.code is not RejectionCode.VERSION_MISMATCH:
        return rejection
    message = rejection.message.replace(
        f", not at {NO_VERSION};", ", and If-Match names none of its versions;"
    )
    return Rejection(rejection.code, message, rejection.param)


def add_error_handlers(app: FastAPI) -> None:
    """Translate every error into its flat JSON."""

    async def on_api_error(_: Request, error: Exception) -> Response:
        if not isinstance(error, ApiError):
            raise error
        return error.response()

    async def on_refused(_: Request, error: Exception) -> Response:
        if not isinstance(error, Rejection):
            raise error
        return refused(error)

    async def on_http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        status = HTTPStatus(error.status_code)
        code = _CODES.get(status, RejectionCode.INVALID.value)
        headers = dict(error.headers or {})
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_allowed(request))
        return JSONResponse(
            error_body(status, code, status.description or status.phrase), status, headers
        )

    app.add_exception_handler(ApiError, on_api_error)
    app.add_exception_handler(Rejection, on_refused)
    app.add_exception_handler(HTTPException, on_http)


def _allowed(request: Request) -> list[str]:
    """The methods of a path. The router names only those of the first route that it comes upon."""
    routes = request.app.routes
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes
        )
    ]


_CODES = {
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
}
