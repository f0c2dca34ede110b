"""`/openapi.json`, written from the domain's commands, the routes, and the table of calls."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import JsonSchemaValue
from starlette.routing import Route

from domain.checkout_view import CheckoutView
from services.http_api.openapi.call import Call
from services.http_api.openapi.calls import calls
from services.http_api.openapi.headers import (
    HEADERS,
    PAGE_PARAMETERS,
    PARAMETERS,
    READ_PARAMETERS,
    WRITE_PARAMETERS,
    parameter_references,
)
from services.http_api.openapi.health import health_paths
from services.http_api.openapi.links import LINKS
from services.http_api.openapi.query_parameters import QUERY_PARAMETERS
from services.http_api.openapi.responses import responses
from services.messages.schemas import Error, Schemas
from services.security.api_keys import Scope

__all__ = ["describe"]

_DESCRIPTION = """\
Amounts are integers in minor units (cents). Unknown fields and query parameters are refused.

Errors are flat JSON: `{"type", "code", "message", "param"?}`. They are checked in this order: 401, 403,
413, 415, 400 for the shape, a repeat's first answer, 404, 405 or 409 for the checkout's state, 412,
400 by the merchant book. Every answer carries a `Request-Id`, a fault's (500) too. An
unknown path is a 404 `not_found`, another method than those listed a 405 `method_not_allowed`.

The same commands by Kafka, and the events: `/asyncapi`.
"""


def describe(app: FastAPI) -> None:
    """Make `/openapi.json` tell what the calls take and answer. Written once, at the first request."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to extend it


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes
    )
    known = calls()
    commands = [call.command for call in known.values() if call.command]
    pages = [call.page.model for call in known.values() if call.page]
    schemas = Schemas.of(received=commands, sent=[CheckoutView, Error, *pages])
    for path in document["paths"].values():
        for operation in path.values():
            # The routes read the body themselves: FastAPI's own error can't happen.
            operation["responses"].pop("422", None)
            call = known.get(operation["operationId"])
            if call:
                _complete(operation, call, schemas)
    served = {route.path for route in app.routes if isinstance(route, Route)}
    document["paths"] |= {name: it for name, it in health_paths().items() if name in served}
    document.setdefault("components", {}).update(
        schemas=schemas.definitions,
        parameters=PARAMETERS | QUERY_PARAMETERS,
        headers=HEADERS,
        links=LINKS,
    )
    return document


def _complete(operation: dict[str, Any], call: Call, schemas: Schemas) -> None:
    """Add what FastAPI can't see in a route that takes the bare request."""
    in_path = ["CheckoutId"] if operation.pop("parameters", None) else []
    operation["parameters"] = parameter_references(*in_path, *call.query, *_headers(call))
    operation["security"] = [
        {name: [str(call.scope)] for name in scheme} for scheme in operation["security"]
    ]
    if call.command:
        operation["requestBody"] = _body(call, schemas.references[call.command])
    [success] = operation["responses"]
    operation["responses"] = responses(call, HTTPStatus(int(success)), schemas)


def _headers(call: Call) -> tuple[str, ...]:
    if call.scope is Scope.WRITE:
        return WRITE_PARAMETERS
    return PAGE_PARAMETERS if call.page else READ_PARAMETERS


def _body(call: Call, schema: JsonSchemaValue) -> dict[str, Any]:
    examples = {"checkout": {"value": call.chapter.body}}
    return {
        "required": call.body_required,
        "content": {"application/json": {"schema": schema, "examples": examples}},
    }
