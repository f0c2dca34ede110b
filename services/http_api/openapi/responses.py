"""The answers of a call: the checkout, and the errors grouped by their status."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import JsonSchemaValue

from domain.checkout_view import CheckoutView
from domain.rejection import Rejection
from projections.checkout_view import render
from services.http_api.errors import ApiError, rejection_headers
from services.http_api.openapi.call import Call, DocumentedError, Page
from services.http_api.openapi.headers import header_references, optional_headers
from services.http_api.openapi.links import link_references
from services.messages.errors import STATUS, error_body, flat_error
from services.messages.schemas import Error, Schemas
from services.security.api_keys import Scope

_ACCEPTED = (
    "Recorded, but it may not be readable yet: a read may still show an older version. The checkout "
    "as the write left it."
)
_PAYING = (
    " Or the payment is still running, and the checkout `in_progress`: the same `Idempotency-Key` "
    "gets how it ended."
)
_SHOWN = ("Request-Id", "ETag", "Cache-Control")


def responses(call: Call, success: HTTPStatus, schemas: Schemas) -> dict[str, Any]:
    """The responses of an operation, by status."""
    is_write = call.scope is Scope.WRITE
    found = _page(call.page, success, schemas) if call.page else _shown(call, success, schemas)
    by_status: dict[HTTPStatus, list[DocumentedError]] = {}
    for documented in call.errors:
        by_status.setdefault(_status(documented.error), []).append(documented)
    for status, errors in by_status.items():
        found[status] = _error_response(status, errors, is_write, schemas.references[Error])
    return {str(int(status)): found[status] for status in sorted(found)}


def _page(page: Page, success: HTTPStatus, schemas: Schemas) -> dict[int, Any]:
    """The answers of a call that shows something else than a checkout."""
    answer = {
        "description": page.description,
        "headers": header_references("Request-Id", "Cache-Control"),
        "content": _content(schemas.references[page.model], {"page": page.example}),
    }
    return {success: answer}


def _shown(call: Call, success: HTTPStatus, schemas: Schemas) -> dict[int, Any]:
    """The answers of a call that shows a checkout."""
    is_write = call.scope is Scope.WRITE
    replayed = ("Idempotent-Replayed",) if is_write else ()
    located = ("Location",) if success is HTTPStatus.CREATED else ()
    reference, ends_as = schemas.references[CheckoutView], call.ends_as or call.chapter
    content = _content(reference, {"checkout": render(ends_as.after)})
    shown = {
        "description": "The checkout as the write left it." if is_write else "The checkout.",
        "headers": header_references(*_SHOWN, *located, *replayed),
        "content": content,
        "links": link_references(),
    }
    if is_write:
        accepted = {
            "description": _ACCEPTED + (_PAYING if call.ends_as else ""),
            "headers": header_references(*_SHOWN, "Location", *replayed),
            "content": _content(reference, {"checkout": render(call.chapter.after)}),
            "links": link_references(),
        }
        return {success: shown, HTTPStatus.ACCEPTED: accepted}
    not_modified = {
        "description": "The checkout is still at a version that `If-None-Match` names.",
        "headers": header_references(*_SHOWN),
    }
    return {success: shown, HTTPStatus.NOT_MODIFIED: not_modified}


def _error_response(
    status: HTTPStatus, errors: Sequence[DocumentedError], is_write: bool, schema: JsonSchemaValue
) -> dict[str, Any]:
    headers = ["Request-Id"]
    if is_write and any(documented.replayable for documented in errors):
        headers.append("Idempotent-Replayed")
    each = [_headers_of(documented.error) for documented in errors]
    always = set(each[0]).intersection(*each)
    sometimes = set().union(*each) - always
    return {
        "description": f"{status.phrase}: "
        + "; ".join(f"`{documented.error.code}` if {documented.when}" for documented in errors)
        + ".",
        "headers": header_references(*headers, *sorted(always))
        | optional_headers(*sorted(sometimes)),
        "content": _content(schema, {str(d.error.code): _body(d.error) for d in errors}),
    }


def _content(schema: JsonSchemaValue, examples: dict[str, Any]) -> dict[str, Any]:
    named = {name: {"value": value} for name, value in examples.items()}
    return {"application/json": {"schema": schema, "examples": named}}


def _status(error: ApiError | Rejection) -> HTTPStatus:
    return error.status if isinstance(error, ApiError) else STATUS[error.code]


def _body(error: ApiError | Rejection) -> dict[str, Any]:
    if isinstance(error, ApiError):
        return error_body(error.status, error.code, error.message, error.param)
    return flat_error(error)


def _headers_of(error: ApiError | Rejection) -> set[str]:
    """The headers that an error brings along."""
    return set(error.headers if isinstance(error, ApiError) else rejection_headers(error))
