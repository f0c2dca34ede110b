"""`/openapi.json`, made from the table of operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic.json_schema import JsonSchemaValue

from domain.checkout_view import CheckoutView
from services.http_api.openapi.headers import HEADERS
from services.http_api.openapi.health import health_paths
from services.http_api.openapi.links import LINKS
from services.http_api.openapi.parameters import parameter_references, parameters
from services.http_api.openapi.responses import responses
from services.http_api.openapi.swagger_ui import SWAGGER_UI
from services.http_api.operation import Operation, ShownPage
from services.messages.errors import Error
from services.messages.scenario import scenario
from services.messages.schemas import Schemas

__all__ = ["SWAGGER_UI", "openapi_document"]

_DESCRIPTION = """\
Amounts are integers in minor units (cents). Unknown fields and query parameters are rejected.

Errors are flat JSON: `{"type", "code", "message", "param"?}`. They are checked in this order: 401, 403,
413, 415, 400 for the shape, a repeat's first answer, 404, 405 or 409 for the checkout's state, 412,
400 by the merchant book. Every answer carries a `Request-Id`, a 500 too. An unknown path is a
404 `not_found`, another method than those listed a 405 `method_not_allowed`.

For the same commands over Kafka, and the events, see `/asyncapi`.
"""
_SECURITY = "HTTPBearer"


def openapi_document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these operations and of the health endpoints."""
    schemas = Schemas.of(
        received=[it.command for it in operations if it.command],
        sent=[CheckoutView, Error, *_page_models(operations)],
    )
    paths: dict[str, Any] = {}
    for operation in operations:
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Checkout", "version": "1", "description": _DESCRIPTION},
        "paths": paths | health_paths(),
        "components": {
            "securitySchemes": {
                _SECURITY: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, made by `checkout keys create`.",
                }
            },
            "schemas": schemas.definitions,
            "parameters": parameters(operations),
            "headers": HEADERS,
            "links": LINKS,
        },
    }


def _page_models(operations: Iterable[Operation]) -> list[Any]:
    return [it.shows.model for it in operations if isinstance(it.shows, ShownPage)]


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    document = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "tags": ["checkouts"],
        "parameters": parameter_references(operation),
        "security": [{_SECURITY: [operation.scope.value]}],
        "responses": responses(operation, schemas),
    }
    if operation.command:
        document["requestBody"] = _body(operation, schemas.references[operation.command])
    return document


def _body(operation: Operation, schema: JsonSchemaValue) -> dict[str, Any]:
    name = operation.command.NAME if operation.command else ""
    examples = {"checkout": {"value": scenario()[name].body}}
    return {
        "required": operation.body_required,
        "content": {"application/json": {"schema": schema, "examples": examples}},
    }
