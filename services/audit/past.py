"""A checkout as it was, through the one fold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile

from domain.checkout import Checkout, fold
from domain.events import RecordedEvent
from services.audit.streams import stream_of
from services.store import EventStore


class NotThere(Exception):
    """There is no such checkout, or none at that moment; the message says which."""


def as_of(store: EventStore, checkout_id: str, moment: int | datetime | None = None) -> Checkout:
    """A checkout at a version, or after the last event that is not after a time, or as it is now.

    Raises `NotThere`, and `BrokenStream` or `UnreadableEvent` where the stream is not whole.
    """
    checkout = fold(takewhile(lambda it: _is_by(it, moment), _events(store, checkout_id)))
    if checkout is not None and moment in (None, checkout.version):
        return checkout
    if checkout is not None and isinstance(moment, datetime):
        return checkout
    raise NotThere(_why(store, checkout_id, moment))


def _events(store: EventStore, checkout_id: str) -> Iterator[RecordedEvent]:
    return (row.event() for row in stream_of(store, checkout_id))


def _is_by(recorded: RecordedEvent, moment: int | datetime | None) -> bool:
    if moment is None:
        return True
    # An event's time never goes back in a stream, so the rest is later too.
    return recorded.at <= moment if isinstance(moment, datetime) else recorded.version <= moment


def _why(store: EventStore, checkout_id: str, moment: int | datetime | None) -> str:
    if not store.stream_rows(checkout_id, 0, 1, within=True):
        return f"there is no checkout {checkout_id} in the event store"
    if isinstance(moment, datetime):
        return f"checkout {checkout_id} was not there yet at {moment.isoformat()}"
    return f"checkout {checkout_id} has no version {moment}"
