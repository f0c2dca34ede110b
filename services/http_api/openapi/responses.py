"""The responses of an operation: what it shows, and its errors by status."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import JsonSchemaValue

from domain.checkout_view import CheckoutView
from domain.rejection import Rejection
from projections.checkout_view import render
from services.http_api.errors import ApiError, rejection_headers
from services.http_api.openapi.headers import header_references, optional_headers
from services.http_api.openapi.links import link_references
from services.http_api.operation import ErrorCase, Operation, ShownCheckout, ShownPage
from services.messages.errors import STATUS, Error, error_body, flat_error
from services.messages.scenario import scenario
from services.messages.schemas import Schemas

_Error = ApiError | Rejection

_ACCEPTED = (
    "Recorded, but it may not be readable yet: a read may still show an older version. The checkout "
    "as the write left it."
)
_PAYING = (
    " Or the payment is still running, and the checkout `in_progress`: repeat the request with the same "
    "`Idempotency-Key` to get the outcome."
)
_SHOWN = ("Request-Id", "ETag", "Cache-Control")


def responses(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    """The responses of an operation, by status."""
    shows = operation.shows
    if isinstance(shows, ShownPage):
        found = _page(shows, operation.success, schemas)
    else:
        found = _checkout(operation, shows, schemas)
    by_status: dict[HTTPStatus, list[tuple[ErrorCase, _Error]]] = {}
    for case in operation.errors:
        error = case.error()
        by_status.setdefault(_status(error), []).append((case, error))
    for status, cases in by_status.items():
        found[status] = _error_response(
            status, cases, schemas.references[Error], replays=operation.is_write
        )
    return {str(int(status)): found[status] for status in sorted(found)}


def _page(page: ShownPage, success: HTTPStatus, schemas: Schemas) -> dict[int, Any]:
    """The responses of an operation that shows no checkout."""
    response = {
        "description": page.description,
        "headers": header_references("Request-Id", "Cache-Control"),
        "content": _content(schemas.references[page.model], {"page": page.example()}),
    }
    return {success: response}


def _checkout(operation: Operation, shows: ShownCheckout, schemas: Schemas) -> dict[int, Any]:
    """The responses of an operation that shows a checkout."""
    is_write, success = operation.is_write, operation.success
    replayed = ("Idempotent-Replayed",) if is_write else ()
    located = ("Location",) if success is HTTPStatus.CREATED else ()
    reference, steps = schemas.references[CheckoutView], scenario()
    shown = {
        "description": "The checkout as the write left it." if is_write else "The checkout.",
        "headers": header_references(*_SHOWN, *located, *replayed),
        "content": _content(reference, {"checkout": render(steps[shows.step].after)}),
        "links": link_references(),
    }
    if is_write:
        pending = render(steps[shows.pending or shows.step].after)
        accepted = {
            "description": _ACCEPTED + (_PAYING if shows.pending else ""),
            "headers": header_references(*_SHOWN, "Location", *replayed),
            "content": _content(reference, {"checkout": pending}),
            "links": link_references(),
        }
        return {success: shown, HTTPStatus.ACCEPTED: accepted}
    not_modified = {
        "description": "The checkout is still at a version that `If-None-Match` names.",
        "headers": header_references(*_SHOWN),
    }
    return {success: shown, HTTPStatus.NOT_MODIFIED: not_modified}


def _error_response(
    status: HTTPStatus,
    cases: Sequence[tuple[ErrorCase, _Error]],
    schema: JsonSchemaValue,
    *,
    replays: bool,
) -> dict[str, Any]:
    headers = ["Request-Id"]
    if replays and any(case.replayable for case, _ in cases):
        headers.append("Idempotent-Replayed")
    each = [_headers_of(error) for _, error in cases]
    always = set(each[0]).intersection(*each)
    sometimes = set().union(*each) - always
    return {
        "description": f"{status.phrase}: "
        + "; ".join(f"`{error.code}` if {case.when}" for case, error in cases)
        + ".",
        "headers": header_references(*headers, *sorted(always))
        | optional_headers(*sorted(sometimes)),
        "content": _content(schema, {str(error.code): _body(error) for _, error in cases}),
    }


def _content(schema: JsonSchemaValue, examples: dict[str, Any]) -> dict[str, Any]:
    named = {name: {"value": value} for name, value in examples.items()}
    return {"application/json": {"schema": schema, "examples": named}}


def _status(error: _Error) -> HTTPStatus:
    return error.status if isinstance(error, ApiError) else STATUS[error.code]


def _body(error: _Error) -> dict[str, Any]:
    if isinstance(error, ApiError):
        return error_body(error.status, error.code, error.message, error.param)
    return flat_error(error)


def _headers_of(error: _Error) -> set[str]:
    """The names of an error's headers."""
    return set(error.headers if isinstance(error, ApiError) else rejection_headers(error))
