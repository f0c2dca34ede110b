"""Authenticates and authorizes a request by its API key."""

from __future__ import annotations

from starlette.requests import Request

from services.http_api.errors import forbidden, unauthorized
from services.security.api_keys import ApiKey, ReloadingApiKeys, Scope


def authorize(request: Request, keys: ReloadingApiKeys, scope: Scope) -> ApiKey:
    """The API key of a request, if it has the scope. Raises `ApiError`: 401, 403."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    key = keys.find(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
    if key is None:
        raise unauthorized()
    if scope not in key.scopes:
        raise forbidden(scope)
    return key
