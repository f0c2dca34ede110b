"""Reads the body of a request."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from services.http_api.errors import too_large, unsupported_media_type
from services.messages.strict_json import parse_json

MAX_BODY_BYTES = 1024 * 1024


async def json_body(request: Request, *, optional: bool = False) -> Any:
    """The parsed body. Raises `Rejection`: too_large, unsupported_media_type, invalid."""
    body = await _bounded_body(request)
    if optional and not body:
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise unsupported_media_type()
    return parse_json(body)


async def _bounded_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise too_large()
    return bytes(body)
