"""Query parameters, read as strictly as a body: each is known, given once and of its one spelling."""

from __future__ import annotations

import re
from datetime import datetime

from fastapi import Request

from domain.rejection import invalid
from domain.validation_errors import json_path
from services.messages.rfc3339 import parse_rfc3339

Query = dict[str, str]
"""What was given, by name."""

_MANY = 10**18
"""A bound for numbers without one: nothing here is counted so far, and a database can hold it."""

_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]*")


def query_of(request: Request, *known: str) -> Query:
    """The parameters of a call that takes these. No silent guess at what another one was meant to
    do, or which of two was meant. Raises `Rejection`.
    """
    found: Query = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            taken = ", ".join(known) or "none"
            raise invalid(f"this is no query parameter of this call; it takes {taken}", _path(name))
        if name in found:
            raise invalid(f"{name} is given more than once", _path(name))
        found[name] = value
    return found


def whole_number(query: Query, name: str, least: int, most: int = _MANY) -> int | None:
    """A number within bounds, None if it is not given. Raises `Rejection`.

    Without an upper bound, a greater number than can be counted is taken for that one.
    """
    given = query.get(name)
    if given is None:
        return None
    bounds = f"from {least} to {most}" if most < _MANY else f"from {least} on"
    if not _WHOLE_NUMBER.fullmatch(given):
        raise invalid(f"{name} must be a whole number {bounds}, in digits", _path(name))
    # Python refuses to read numbers of thousands of digits.
    number = int(given) if len(given) < len(str(_MANY)) else _MANY
    if not least <= number <= most:
        raise invalid(f"{name} must be {bounds}", _path(name))
    return number


def date_time(query: Query, name: str) -> datetime | None:
    """A moment by RFC 3339, to the microsecond, None if it is not given. Raises `Rejection`."""
    given = query.get(name)
    if given is None:
        return None
    found = parse_rfc3339(given)
    if found:
        return found
    raise invalid(
        f"{name} must be an RFC 3339 date and time with its offset, such as 2024-09-30T14:30:00Z "
        "(in a query, a + is written %2B)",
        _path(name),
    )


def _path(name: str) -> str:
    return json_path((name,))
