"""The list of checkouts: what may be asked for, and a page of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from domain.values import Status
from projections.checkout_view import RenderedView
from projections.list_index import email_digest, microseconds, rfc3339_of, sort_key
from projections.redis.scripts import INDEX

_SHOWN = ("id", "buyer", "status", "currency", "line_items")


class UnknownCursor(Exception):
    """There is no checkout of this id to go on after."""


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Which checkouts are wanted: those of which all that is given is true.

    The email is the very one that was recorded. `created_after` and `created_before` are exclusive.
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
        """The lowest and the highest member of an index, in the words of `ZRANGEBYLEX`."""
        low, high = "-", "+"
        if self.created_after:
            low = f"[{sort_key(microseconds(self.created_after) + 1)}"
        if self.created_before:
            high = f"({sort_key(microseconds(self.created_before))}"
        return low, high


@dataclass(frozen=True, slots=True)
class ListPage:
    """Items of the list, newest first; whether there are more; and how many there are in all."""

    items: list[dict[str, Any]]
    has_more: bool
    total_count: int


def list_item(view: RenderedView) -> dict[str, Any]:
    """A checkout as the list shows it: in short, with its times, and of the totals the last row."""
    checkout = orjson.loads(view.body)
    item = {name: checkout[name] for name in _SHOWN if name in checkout}
    item["totals"] = [total for total in checkout["totals"] if total["type"] == "total"]
    item["created_at"] = rfc3339_of(view.entry.created)
    item["updated_at"] = rfc3339_of(view.entry.updated)
    return item
