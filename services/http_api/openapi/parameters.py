"""The parameters of operations, each described once: in the path, in the query and in headers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.values import CHECKOUT_ID_PATTERN
from services.http_api.operation import Operation
from services.messages.scenario import CHECKOUT_ID

_CHECKOUT_ID = {
    "name": "checkout_id",
    "in": "path",
    "required": True,
    "description": "The checkout's id.",
    "schema": {"type": "string", "pattern": CHECKOUT_ID_PATTERN},
    "example": CHECKOUT_ID,
}


def parameters(operations: Iterable[Operation]) -> dict[str, dict[str, Any]]:
    """The parameters of all these operations, by their component names."""
    return {name: it for operation in operations for name, it in _parameters(operation).items()}


def parameter_references(operation: Operation) -> list[dict[str, str]]:
    """References to an operation's parameters."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in _parameters(operation)]


def _parameters(operation: Operation) -> dict[str, dict[str, Any]]:
    in_path = {"CheckoutId": _CHECKOUT_ID} if "{checkout_id}" in operation.path else {}
    in_query = {it.component: it.document() for it in operation.query}
    return in_path | in_query | {it.name: it.document() for it in operation.headers}
