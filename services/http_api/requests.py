"""Reading a request: API key, body, preconditions and idempotency key."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request

from domain.rejection import invalid
from domain.validation_errors import json_path
from services.http_api.errors import (
    NO_VERSION,
    forbidden,
    too_large,
    unauthorized,
    unsupported_media_type,
)
from services.messages.strict_json import parse_json
from services.security.api_keys import ApiKey, ReloadingApiKeys, Scope

MAX_BODY_BYTES = 1024 * 1024
MAX_IDEMPOTENCY_KEY = 255

_KEY_PATH = json_path(("Idempotency-Key",))

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TAG = r'(?:W/)?"[!#-~\x80-\xff]*"'
_TAGS = re.compile(rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*")
_VERSION = re.compile(r'(?<!W/)"(0|[1-9][0-9]{0,17})"')


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


def expected_version(request: Request) -> int | None:
    """The version in `If-Match`, by strong comparison (RFC 9110, section 13.1.1): of a list, the
    one tag that can be a version. `NO_VERSION` if none can. Raises `Rejection` if several can.
    """
    given = _listed(request, "if-match")
    if given is None or given == "*":
        return None
    versions = {int(found) for found in _VERSION.findall(given)} if _TAGS.fullmatch(given) else ()
    if len(versions) > 1:
        raise invalid(
            "If-Match names several versions; send the ETag of the answer that you go by",
            json_path(("If-Match",)),
        )
    return next(iter(versions), NO_VERSION)


def is_known(request: Request, entity_tag: str) -> bool:
    """Whether `If-None-Match` names this tag, by weak comparison (RFC 9110, section 13.1.2)."""
    given = _listed(request, "if-none-match") or ""
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return "*" in tags or entity_tag in tags


def _listed(request: Request, name: str) -> str | None:
    """A header that is a list and may be sent on several lines; None if it is absent."""
    lines = request.headers.getlist(name)
    return ", ".join(lines).strip() if lines else None


def idempotency_key(request: Request) -> str | None:
    """The `Idempotency-Key`, if there is one. Raises `Rejection` if it is out of bounds, is not
    UTF-8, or is sent more than once.
    """
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    try:
        # HTTP headers are bytes, which Starlette decodes as Latin-1.
        key = given[0].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        raise invalid("Idempotency-Key is not UTF-8", _KEY_PATH) from None
    if len(given) > 1:
        raise invalid("Idempotency-Key is given more than once", _KEY_PATH)
    # The key goes into events, and CloudEvents attributes have no control characters (CloudEvents
    # 1.0, "Type System").
    if _CONTROL.search(key):
        raise invalid("Idempotency-Key has a control character", _KEY_PATH)
    if not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY:
        raise invalid(f"Idempotency-Key must have 1 to {MAX_IDEMPOTENCY_KEY} characters", _KEY_PATH)
    return key
