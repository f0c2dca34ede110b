"""`/healthz`, `/readyz` and `/metrics` in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST

from services.http_api.openapi.headers import header_references


def health_paths() -> dict[str, Any]:
    """The path items of the health endpoints. They need no API key."""
    return {
        "/healthz": _path("healthz", "Whether the process is alive.", {"200": _alive()}),
        "/readyz": _path(
            "readyz",
            "Whether requests can be served, with the state of each dependency.",
            {
                "200": _readiness(
                    "Every check passes, or the service can do its own job without, slower or in part.",
                    {"enum": ["ready", "degraded"]},
                    {"status": "ready", "checks": {"redis": "ok"}},
                ),
                "503": _readiness(
                    "A check fails that the service can't do without.",
                    {"const": "not_ready"},
                    {"status": "not_ready", "checks": {"store": "no answer within 2 s"}},
                ),
            },
        ),
        "/metrics": _path("metrics", "Metrics for Prometheus.", {"200": _metrics()}),
    }


def _path(operation_id: str, summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    operation = {
        "operationId": operation_id,
        "summary": summary,
        "tags": ["operations"],
        "security": [],
        "responses": responses,
    }
    return {"get": operation}


def _alive() -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"status": {"const": "ok"}},
        "required": ["status"],
        "additionalProperties": False,
    }
    return _json("The process is alive.", schema, {"status": "ok"})


def _readiness(description: str, status: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "status": status,
            "checks": {
                "type": "object",
                "description": "The state of each dependency: `ok`, or the reason why it is not.",
                "additionalProperties": {"type": "string"},
            },
        },
        "required": ["status", "checks"],
        "additionalProperties": False,
    }
    return _json(description, schema, example)


def _metrics() -> dict[str, Any]:
    return {
        "description": "The text format of Prometheus.",
        "headers": header_references("Request-Id"),
        "content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}}},
    }


def _json(description: str, schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": description,
        "headers": header_references("Request-Id"),
        "content": {"application/json": {"schema": schema, "example": example}},
    }
