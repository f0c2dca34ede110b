"""What each call takes and what it may answer: the table that the OpenAPI document is written from."""

from __future__ import annotations

from services.http_api.openapi.call import Call
from services.http_api.openapi.read_calls import read_calls
from services.http_api.openapi.write_calls import write_calls


def calls() -> dict[str, Call]:
    """The calls by their operation id."""
    return read_calls() | write_calls()
