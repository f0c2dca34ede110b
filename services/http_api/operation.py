"""A row of the API's table: what an operation takes, how it responds, and the function that handles it.

Routing, authorization, metrics and the OpenAPI document are all made from these rows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from domain.commands import Command
from domain.rejection import Rejection
from services.http_api.dependencies import ApiDependencies
from services.http_api.errors import ApiError
from services.http_api.query_parameters import QueryParameter
from services.http_api.request_headers import RequestHeader
from services.security.api_keys import ApiKey, Scope


@dataclass(frozen=True, slots=True)
class ErrorCase:
    """An error that an operation may answer, and when.

    `error` makes the error as it is raised at run time. `replayable`: the same `Idempotency-Key` gets
    it again.
    """

    error: Callable[[], ApiError | Rejection]
    when: str
    replayable: bool = False


@dataclass(frozen=True, slots=True)
class ShownCheckout:
    """A success that shows a checkout: as it is after `step` of the examples' scenario.

    `pending` is the step that a 202 shows, if that is another one.
    """

    step: str
    pending: str | None = None


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A success that shows something else: the model of its JSON, what it is, and an example."""

    model: type[BaseModel]
    description: str
    example: Callable[[], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the API. `command` is the model of its body, None if it takes no body."""

    id: str
    method: str
    path: str
    scope: Scope
    summary: str
    description: str
    handle: Callable[[Call], Awaitable[Response]]
    shows: ShownCheckout | ShownPage
    errors: tuple[ErrorCase, ...]
    success: HTTPStatus = HTTPStatus.OK
    command: type[Command] | None = None
    body_required: bool = True
    query: tuple[QueryParameter, ...] = ()
    headers: tuple[RequestHeader[Any], ...] = ()

    @property
    def is_write(self) -> bool:
        """Whether it hands a command to the handler."""
        return self.command is not None


@dataclass(frozen=True, slots=True)
class Call:
    """An authorized request to an operation, its query and body read. `body` is the parsed JSON."""

    operation: Operation
    request: Request
    parts: ApiDependencies
    key: ApiKey
    query: Mapping[str, Any]
    command: Command | None = None
    body: Any = None

    @property
    def checkout_id(self) -> str | None:
        """The id in the path; None where the path has none."""
        return self.request.path_params.get("checkout_id")
