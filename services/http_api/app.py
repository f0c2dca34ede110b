"""The ASGI application of the HTTP API, made from its tables of operations."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, Router, request_response
from starlette.types import Receive, Scope, Send

from services.http_api.dependencies import ApiDependencies
from services.http_api.middleware import RequestMiddleware
from services.http_api.openapi import SWAGGER_UI, openapi_document
from services.http_api.routing import Path, not_found, routes
from services.http_api.v1.operations import OPERATIONS
from services.messages.asyncapi import asyncapi_document, asyncapi_page
from services.runtime.health import health_routes

__all__ = ["ApiDependencies", "HttpApi"]


class HttpApi:
    """Serves the operations of `/v1`, health, and the documents of both channels."""

    def __init__(self, parts: ApiDependencies) -> None:
        health = health_routes(parts.checks)
        asyncapi = asyncapi_document(parts.topics)

        async def openapi_json(_: Request) -> Response:
            return JSONResponse(self.openapi())

        async def docs(_: Request) -> Response:
            return HTMLResponse(SWAGGER_UI)

        async def asyncapi_json(_: Request) -> Response:
            return JSONResponse(asyncapi)

        async def asyncapi_html(_: Request) -> Response:
            return HTMLResponse(asyncapi_page(asyncapi))

        pages = [
            *health,
            Route("/openapi.json", openapi_json),
            Route("/docs", docs),
            Route("/asyncapi.json", asyncapi_json),
            Route("/asyncapi", asyncapi_html),
        ]
        router = Router(
            [
                *routes(OPERATIONS, parts),
                *(Path(page.path, {"GET": request_response(page.endpoint)}) for page in pages),
            ],
            redirect_slashes=False,
            default=not_found(),
        )
        self._app = RequestMiddleware(router)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, built on the first call."""
        return self._document

    @cached_property
    def _document(self) -> dict[str, Any]:
        return openapi_document(OPERATIONS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._app(scope, receive, send)
