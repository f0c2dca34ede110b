"""Reads streams page by page, so that memory is bounded however many and long they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from domain.checkout import Checkout
from domain.events import RecordedEvent
from services.audit.stream_check import StreamCheck
from services.audit.violations import Violation
from services.event_store import EventStore
from services.event_store.event_mapper import UnreadableEvent
from services.event_store.stored_row import StoredRow

PAGE = 1_000
"""Events in memory at once."""


def stream_of(store: EventStore, checkout_id: str) -> Iterator[StoredRow]:
    """The rows of one checkout, oldest first."""
    version = 0
    while page := store.stream_rows(checkout_id, version, PAGE, within=True):
        yield from page
        version = page[-1].version


def read(row: StoredRow) -> RecordedEvent | str:
    """The event of a row, or why it can't be read."""
    try:
        return row.event()
    except UnreadableEvent as error:
        return " ".join(str(error).split())


@dataclass(slots=True)
class Portion:
    """A part of the store: events, their violations, and the checkouts whose streams end in it.

    `broken` are the checkouts whose streams end here and can't be folded.
    """

    events: list[tuple[StoredRow, RecordedEvent | None]] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    checkouts: list[Checkout] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def portions_of(store: EventStore, checkout_ids: Sequence[str] = ()) -> Iterator[Portion]:
    """These checkouts, or all if none are given, stream by stream, each checked against the rules."""
    check: StreamCheck | None = None
    for page in _pages(store, checkout_ids):
        portion = Portion()
        for row in page:
            if check is None or check.checkout_id != row.checkout_id:
                _end(check, portion)
                check = StreamCheck(row.checkout_id)
            event = read(row)
            portion.violations += check.take(row.version, event)
            portion.events.append((row, None if isinstance(event, str) else event))
        yield portion
    last = Portion()
    _end(check, last)
    yield last


def _end(check: StreamCheck | None, portion: Portion) -> None:
    if check is None:
        return
    portion.violations += check.end()
    if check.whole:
        portion.checkouts.append(check.whole)
    else:
        portion.broken.append(check.checkout_id)


def _pages(store: EventStore, checkout_ids: Sequence[str]) -> Iterator[list[StoredRow]]:
    for checkout_id in checkout_ids:
        version = 0
        while page := store.stream_rows(checkout_id, version, PAGE, within=True):
            yield page
            version = page[-1].version
    last = ("", 0)
    while not checkout_ids and (page := store.stream_rows(*last, PAGE)):
        yield page
        last = page[-1].checkout_id, page[-1].version
