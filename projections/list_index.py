"""The projection that the list of checkouts is served from."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from projections.listed_checkout import ListedCheckout
from projections.projection import Record, Source

INDEX = "list_index:"
"""The beginning of the names of the list's indexes."""

SORT_KEY_DIGITS = 15
"""Hexadecimal digits of a time in an index: enough for the year 9999, and they sort as text."""

_MICROSECOND = timedelta(microseconds=1)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)


class ListIndexProjection:
    """One record a checkout: its times, in one index by status and one by buyer and status.

    Its member is the time of creation and the id. A list without a status is merged from the indexes of
    all statuses, so that a checkout is in two indexes and not in four. What else a page shows is in the
    view's record: to write it here again would cost each command more than it saves a page.
    """

    name = "list_entry"
    revision = 1

    def project(self, source: Source) -> Record:
        """The times of a checkout, and where it is listed."""
        checkout = source.checkout
        member = sort_key(microseconds(checkout.created_at)) + checkout.id
        by_status = f"{INDEX}{checkout.status.value}"
        buyer = checkout.buyer
        by_buyer = (f"{by_status}:{email_digest(buyer.email)}",) if buyer else ()
        times = f"{_utc(checkout.created_at)} {_utc(checkout.updated_at)}".encode()
        return Record(times, member, (by_status, *by_buyer))


def list_item(view: dict[str, Any], times: bytes) -> ListedCheckout:
    """A checkout as the list shows it, from its two records: in short, and of the totals the last row."""
    created_at, updated_at = times.decode().split(" ")
    item = {name: view[name] for name in ListedCheckout.__annotations__ if name in view}
    item["totals"] = [total for total in view["totals"] if total["type"] == "total"]
    return cast(ListedCheckout, item | {"created_at": created_at, "updated_at": updated_at})


def sort_key(moment: int) -> str:
    """A time as it begins a member of an index. A time before year 1 sorts before all others."""
    return f"{moment:0{SORT_KEY_DIGITS}x}"


def email_digest(email: str) -> str:
    """Fixed-length hash of an e-mail address for index keys, so that key names hold no personal data."""
    digest = hashlib.blake2b(email.encode(), digest_size=15).digest()
    return base64.urlsafe_b64encode(digest).decode()


def microseconds(moment: datetime) -> int:
    """Microseconds since year 1 in UTC; below 0 where an offset leads before it."""
    return (moment - _FIRST) // _MICROSECOND


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
