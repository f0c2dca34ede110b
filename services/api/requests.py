"""Reading a request: the key, the body, the preconditions, in the order they are checked."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from domain.commands import json_path
from domain.refusals import RefusalCode, Refused, invalid
from services.api.errors import forbidden, unauthorized
from services.keys import ApiKey, LiveKeys, Scope
from services.strict_json import parse_json

MAX_BODY_BYTES = 1024 * 1024
MAX_IDEMPOTENCY_KEY = 255

_ENTITY_TAG = re.compile(r'"([1-9][0-9]{0,17})"')
_BEARER = HTTPBearer(auto_error=False, description="An API key, made by `checkout keys create`.")


def key_with(scope: Scope) -> Callable[..., Awaitable[ApiKey]]:
    """The dependency that lets in who holds a key with a scope: 401, 403, or the key."""

    async def authorize(
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> ApiKey:
        keys: LiveKeys = request.app.state.keys
        key = keys.find(credentials.credentials) if credentials else None
        if key is None:
            raise unauthorized()
        if scope not in key.scopes:
            raise forbidden(scope)
        return key

    return authorize


Reader = Annotated[ApiKey, Depends(key_with(Scope.READ))]
Writer = Annotated[ApiKey, Depends(key_with(Scope.WRITE))]


async def json_body(request: Request, *, optional: bool = False) -> Any:
    """The parsed body. Raises `Refused`: too_large, unsupported_media_type, invalid."""
    body = await _bounded_body(request)
    if optional and not body:
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(
            RefusalCode.UNSUPPORTED_MEDIA_TYPE, "send the body as Content-Type: application/json"
        )
    return parse_json(body)


async def _bounded_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refused(RefusalCode.TOO_LARGE, "the body is over 1 MiB")
    return bytes(body)


def refuse_query(request: Request) -> None:
    """No silent guess at what an unknown parameter was meant to do. Raises `Refused`."""
    for name in request.query_params:
        raise invalid("this call takes no query parameters", json_path((name,)))


def expected_version(request: Request) -> int | None:
    """The version in `If-Match`; one that can't be any version's tag is -1, which matches none."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    tag = _ENTITY_TAG.fullmatch(given.strip())
    return int(tag[1]) if tag else -1


def is_known(request: Request, entity_tag: str) -> bool:
    """Whether `If-None-Match` names this tag, by weak comparison (RFC 9110, section 13.1.2)."""
    given = request.headers.get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return "*" in tags or entity_tag in tags


def idempotency_key(request: Request) -> str | None:
    """The `Idempotency-Key`, if there is one. Raises `Refused` for one out of bounds."""
    given = request.headers.get("idempotency-key")
    if given is not None and not 1 <= len(given) <= MAX_IDEMPOTENCY_KEY:
        raise invalid(
            f"Idempotency-Key must have 1 to {MAX_IDEMPOTENCY_KEY} characters",
            "$['Idempotency-Key']",
        )
    return given
