"""Queries for the list of checkouts, and a page of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.values import Status
from projections.list_index import INDEX, email_digest, microseconds, sort_key
from projections.listed_checkout import ListedCheckout


class UnknownCursor(Exception):
    """No checkout has the id to continue after."""


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Which checkouts are wanted: those that match all given conditions.

    The e-mail is compared exactly. `created_after` and `created_before` are exclusive.
    """

    status: Status | None = None
    buyer_email: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    def indexes(self) -> list[str]:
        """The indexes to merge."""
        statuses = [self.status] if self.status else list(Status)
        buyer = f":{email_digest(self.buyer_email)}" if self.buyer_email else ""
        return [f"{INDEX}{status.value}{buyer}" for status in statuses]

    def bounds(self) -> tuple[str, str]:
        """The lowest and the highest member of an index, as `ZRANGEBYLEX` takes them."""
        low, high = "-", "+"
        if self.created_after:
            low = f"[{sort_key(microseconds(self.created_after) + 1)}"
        if self.created_before:
            high = f"({sort_key(microseconds(self.created_before))}"
        return low, high


@dataclass(frozen=True, slots=True)
class ListPage:
    """Items of the list, newest first; whether there are more; and how many match in all."""

    items: list[ListedCheckout]
    has_more: bool
    total_count: int
