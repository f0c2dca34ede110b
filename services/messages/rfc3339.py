"""Parses and formats RFC 3339 date-times."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-9]{2})"
)


def parse_rfc3339(text: str) -> datetime | None:
    """A date and time with its offset, to the microsecond; None if the text is not one."""
    try:
        if _DATE_TIME.fullmatch(text):
            return datetime.fromisoformat(text.upper())
    except ValueError:
        pass  # a day or a minute that does not exist
    return None


def format_rfc3339(moment: datetime) -> str:
    """A moment in UTC, such as `2024-09-30T14:30:00Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
