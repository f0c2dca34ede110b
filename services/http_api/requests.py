"""Reading a request: its API key and its body."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from services.http_api.errors import forbidden, too_large, unauthorized, unsupported_media_type
from services.messages.strict_json import parse_json
from services.security.api_keys import ApiKey, ReloadingApiKeys, Scope

MAX_BODY_BYTES = 1024 * 1024


def authorize(request: Request, keys: ReloadingApiKeys, scope: Scope) -> ApiKey:
    """The API key of a request, if it has the scope. Raises `ApiError`: 401, 403."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    key = keys.find(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
    if key is None:
        raise unauthorized()
    if scope not in key.scopes:
        raise forbidden(scope)
    return key


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
