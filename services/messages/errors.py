"""A rejection as the outside world sees it: the flat error of HTTP answers and Kafka replies."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from domain.rejection import Rejection, RejectionCode

STATUS: dict[RejectionCode, HTTPStatus] = {
    RejectionCode.INVALID: HTTPStatus.BAD_REQUEST,
    RejectionCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    RejectionCode.NOT_CANCELABLE: HTTPStatus.METHOD_NOT_ALLOWED,
    RejectionCode.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    RejectionCode.CHECKOUT_CLOSED: HTTPStatus.CONFLICT,
    RejectionCode.NOT_READY: HTTPStatus.CONFLICT,
    RejectionCode.IN_PROGRESS: HTTPStatus.CONFLICT,
    RejectionCode.ATTEMPT_CLOSED: HTTPStatus.CONFLICT,
    RejectionCode.PAYMENT_DECLINED: HTTPStatus.PAYMENT_REQUIRED,
    RejectionCode.VERSION_MISMATCH: HTTPStatus.PRECONDITION_FAILED,
    RejectionCode.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RejectionCode.UNSUPPORTED_MEDIA_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    RejectionCode.IDEMPOTENCY_CONFLICT: HTTPStatus.UNPROCESSABLE_ENTITY,
    RejectionCode.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def flat_error(rejection: Rejection) -> dict[str, Any]:
    """`{"type", "code", "message", "param"?}`."""
    return error_body(STATUS[rejection.code], rejection.code, rejection.message, rejection.param)


def error_body(
    status: HTTPStatus, code: str, message: str, param: str | None = None
) -> dict[str, Any]:
    """A flat error of any status, with the type that goes with it."""
    body = {"type": _TYPES.get(status, "invalid_request"), "code": code, "message": message}
    return body | {"param": param} if param else body


_TYPES = {
    HTTPStatus.PAYMENT_REQUIRED: "processing_error",
    HTTPStatus.INTERNAL_SERVER_ERROR: "processing_error",
    HTTPStatus.SERVICE_UNAVAILABLE: "service_unavailable",
}
