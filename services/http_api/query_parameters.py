"""Query parameters: each declared once, for reading a request and for the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from domain.rejection import Rejection, invalid
from domain.validation_errors import json_path
from services.messages.rfc3339 import parse_rfc3339

_MANY = 10**18
"""Stands for any larger number: no count here reaches it, and a database can store it."""

_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """A query parameter of an operation.

    `component` is its name in the OpenAPI document, where `name` may stand for two parameters. `read`
    turns the text into a value and raises `Rejection`; `default` is the value of an absent parameter.
    """

    component: str
    name: str
    description: str
    schema: dict[str, Any]
    example: Any
    read: Callable[[str], Any]
    default: Any = None

    def document(self) -> dict[str, Any]:
        """The parameter object of OpenAPI."""
        return {
            "name": self.name,
            "in": "query",
            "description": self.description,
            "schema": self.schema,
            "example": self.example,
        }


def read_query(request: Request, known: Iterable[QueryParameter]) -> Mapping[str, Any]:
    """The values of an operation's query parameters, by name.

    Unknown and repeated parameters are rejected: guessing what the client meant could hide a mistake.
    Raises `Rejection`.
    """
    parameters = {parameter.name: parameter for parameter in known}
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in parameters:
            raise _unknown(name, list(parameters))
        if name in given:
            raise invalid(f"{name} is given more than once", json_path((name,)))
        given[name] = value
    return {
        name: parameter.read(given[name]) if name in given else parameter.default
        for name, parameter in parameters.items()
    }


def whole_number(
    component: str,
    name: str,
    description: str,
    example: int,
    *,
    least: int,
    most: int = _MANY,
    default: int | None = None,
) -> QueryParameter:
    """A decimal integer within bounds. Without an upper bound, larger numbers count as 10^18."""
    bounds = f"from {least} to {most}" if most < _MANY else f"from {least} on"
    schema = {"type": "integer", "minimum": least}
    schema |= {"maximum": most} if most < _MANY else {}
    schema |= {} if default is None else {"default": default}

    def read(text: str) -> int:
        if not _WHOLE_NUMBER.fullmatch(text):
            raise invalid(f"{name} must be a whole number {bounds}, in digits", json_path((name,)))
        # Python refuses to parse numbers of thousands of digits.
        number = int(text) if len(text) < len(str(_MANY)) else _MANY
        if not least <= number <= most:
            raise invalid(f"{name} must be {bounds}", json_path((name,)))
        return number

    return QueryParameter(component, name, description, schema, example, read, default)


def date_time(component: str, name: str, description: str, example: str) -> QueryParameter:
    """A moment by RFC 3339, to the microsecond."""

    def read(text: str) -> Any:
        found = parse_rfc3339(text)
        if found:
            return found
        raise invalid(
            f"{name} must be an RFC 3339 date and time with its offset, such as "
            "2024-09-30T14:30:00Z (in a query, a + is written %2B)",
            json_path((name,)),
        )

    schema = {"type": "string", "format": "date-time"}
    return QueryParameter(component, name, description, schema, example, read)


def _unknown(name: str, known: list[str]) -> Rejection:
    if not known:
        return invalid("this call takes no query parameters", json_path((name,)))
    return invalid(
        f"this is no query parameter of this call; it takes {', '.join(known)}", json_path((name,))
    )
