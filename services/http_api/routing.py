"""From an HTTP request to its operation: routing, authorization, and errors as flat JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.rejection import Rejection
from services.http_api.authentication import authorize
from services.http_api.dependencies import ApiDependencies
from services.http_api.errors import METHODS, ApiError, rejected
from services.http_api.operation import Call, Operation
from services.http_api.query_parameters import read_query
from services.http_api.request_body import json_body

ROUTE = "checkout.route"
"""The key of the ASGI scope under which a request's path template is found by metrics and logs."""


def routes(operations: Iterable[Operation], parts: ApiDependencies) -> list[BaseRoute]:
    """A route for each path of a table of operations."""
    by_path = groupby(sorted(operations, key=_path), key=_path)
    return [
        Path(path, {it.method: _Endpoint(it, parts) for it in there}) for path, there in by_path
    ]


class Path(Route):
    """A path and what answers each of its methods. GET answers HEAD too; other methods get a 405."""

    def __init__(self, path: str, methods: Mapping[str, ASGIApp]) -> None:
        super().__init__(path, self)
        self._methods = {**methods, **({"HEAD": methods["GET"]} if "GET" in methods else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to this path."""
        scope[ROUTE] = self.path
        found = self._methods.get(scope["method"])
        if found is None:
            allowed = ", ".join(method for method in METHODS if method in self._methods)
            found = _http_error(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", Allow=allowed)
        await found(scope, receive, send)


class _Endpoint:
    """Answers the requests to one operation. The order of its checks is promised to clients."""

    def __init__(self, operation: Operation, parts: ApiDependencies) -> None:
        self._operation = operation
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = await self._answer(Request(scope, receive, send))
        except ApiError as error:
            response = error.response()
        except Rejection as rejection:
            response = rejected(rejection)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        operation = self._operation
        key = authorize(request, self._parts.keys, operation.scope)
        command = body = None
        if operation.command:
            body = await json_body(request, optional=not operation.body_required)
        query = read_query(request, operation.query)
        if operation.command:
            command = operation.command.parse(body)
        call = Call(operation, request, self._parts, key, query, command, body)
        return await operation.handle(call)


def not_found() -> ASGIApp:
    """Answers requests to an unknown path."""
    return _http_error(HTTPStatus.NOT_FOUND, "not_found")


def _http_error(status: HTTPStatus, code: str, **headers: str) -> Response:
    return ApiError(status, code, status.description, headers=headers).response()


def _path(operation: Operation) -> str:
    return operation.path
