"""Where a checkout stands on the list: what it is filtered and sorted by, kept beside its view."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from domain.checkout import Checkout

SORT_KEY_DIGITS = 15
"""Hexadecimal digits of a moment in an index: enough for the year 9999, and they sort as text."""

_NOBODY = "-"
_MICROSECOND = timedelta(microseconds=1)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ListIndexEntry:
    """A checkout's entry in the list's indexes, and what the list alone shows of it.

    Moments are microseconds since year 1. `buyer` is the digest of the buyer's email, or `-`.
    """

    created: int
    updated: int
    status: str
    buyer: str

    @classmethod
    def of(cls, checkout: Checkout) -> Self:
        """The entry of a checkout."""
        buyer = email_digest(checkout.buyer.email) if checkout.buyer else _NOBODY
        created, updated = microseconds(checkout.created_at), microseconds(checkout.updated_at)
        return cls(created, updated, checkout.status.value, buyer)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote; a later revision may append to it. Raises `ValueError`."""
        updated, created, status, buyer, *_ = text.split(" ")
        return cls(int(created, 16), int(updated, 16), status, buyer)

    def __str__(self) -> str:
        return f"{sort_key(self.updated)} {sort_key(self.created)} {self.status} {self.buyer}"


def sort_key(moment: int) -> str:
    """A moment as it begins a member of an index; one before year 1 sorts before them all."""
    return f"{moment:0{SORT_KEY_DIGITS}x}"


def email_digest(email: str) -> str:
    """An email as an index is named after it: short, whatever its length, and nobody's data."""
    digest = hashlib.blake2b(email.encode(), digest_size=15).digest()
    return base64.urlsafe_b64encode(digest).decode()


def microseconds(moment: datetime) -> int:
    """Microseconds since year 1 in UTC; below 0 where an offset leads before it."""
    return (moment - _FIRST) // _MICROSECOND


def rfc3339_of(count: int) -> str:
    """So many microseconds since year 1 by RFC 3339, such as `2024-09-30T14:30:00Z`."""
    return (_FIRST + count * _MICROSECOND).isoformat().replace("+00:00", "Z")
