"""A refusal as the outside world sees it: the flat error of HTTP answers and Kafka replies."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from domain.refusals import RefusalCode, Refused

STATUS: dict[RefusalCode, HTTPStatus] = {
    RefusalCode.INVALID: HTTPStatus.BAD_REQUEST,
    RefusalCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    RefusalCode.NOT_CANCELABLE: HTTPStatus.METHOD_NOT_ALLOWED,
    RefusalCode.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    RefusalCode.CHECKOUT_CLOSED: HTTPStatus.CONFLICT,
    RefusalCode.NOT_READY: HTTPStatus.CONFLICT,
    RefusalCode.IN_PROGRESS: HTTPStatus.CONFLICT,
    RefusalCode.ATTEMPT_CLOSED: HTTPStatus.CONFLICT,
    RefusalCode.PAYMENT_DECLINED: HTTPStatus.PAYMENT_REQUIRED,
    RefusalCode.VERSION_MISMATCH: HTTPStatus.PRECONDITION_FAILED,
    RefusalCode.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RefusalCode.UNSUPPORTED_MEDIA_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    RefusalCode.IDEMPOTENCY_CONFLICT: HTTPStatus.UNPROCESSABLE_ENTITY,
    RefusalCode.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def flat_error(refusal: Refused) -> dict[str, Any]:
    """`{"type", "code", "message", "param"?}`."""
    return error_body(STATUS[refusal.code], refusal.code, refusal.message, refusal.param)


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
