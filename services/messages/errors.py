"""The flat error of HTTP answers and Kafka replies."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.rejection import Rejection, RejectionCode
from domain.values import SparseValue

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
    RejectionCode.SERVICE_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    RejectionCode.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}

ErrorType = Literal["invalid_request", "processing_error", "service_unavailable"]

_TYPES: dict[HTTPStatus, ErrorType] = {
    HTTPStatus.PAYMENT_REQUIRED: "processing_error",
    HTTPStatus.INTERNAL_SERVER_ERROR: "processing_error",
    HTTPStatus.SERVICE_UNAVAILABLE: "service_unavailable",
}


class Error(SparseValue):
    """Why there is no other answer."""

    type: ErrorType
    code: Annotated[str, Field(description="A stable word to branch on.")]
    message: Annotated[str, Field(description="A sentence for a person. It may change.")]
    param: Annotated[
        str | None, Field(description="The JSONPath of the field at fault, if one is.")
    ] = None


def error_of(rejection: Rejection) -> Error:
    """A rejection as its flat error."""
    code, message, param = rejection.code.value, rejection.message, rejection.param
    return Error(type=_type(STATUS[rejection.code]), code=code, message=message, param=param)


def flat_error(rejection: Rejection) -> dict[str, Any]:
    """The JSON of a rejection."""
    return error_of(rejection).model_dump()


def error_body(
    status: HTTPStatus, code: str, message: str, param: str | None = None
) -> dict[str, Any]:
    """The JSON of an error of any status, with the type that goes with it."""
    return Error(type=_type(status), code=code, message=message, param=param).model_dump()


def _type(status: HTTPStatus) -> ErrorType:
    return _TYPES.get(status, "invalid_request")
