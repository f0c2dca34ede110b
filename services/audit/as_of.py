"""Reads a checkout as it was."""

from __future__ import annotations

from datetime import datetime

from domain import point_in_time
from domain.checkout import Checkout
from services.audit.streams import stream_of
from services.event_store import EventStore


class NotThere(Exception):
    """There is no such checkout, or not at that moment; the message says which."""


def as_of(
    store: EventStore, checkout_id: str, moment: point_in_time.Moment | None = None
) -> Checkout:
    """A checkout at a version, or after the last event not later than a time, or as it is now.

    Raises `NotThere`, and `BrokenStream` or `UnreadableEvent` if the stream is not whole.
    """
    stream = (row.event() for row in stream_of(store, checkout_id))
    checkout = point_in_time.as_of(stream, moment)
    if checkout is None:
        raise NotThere(_why(store, checkout_id, moment))
    return checkout


def _why(store: EventStore, checkout_id: str, moment: point_in_time.Moment | None) -> str:
    if not store.stream_rows(checkout_id, 0, 1, within=True):
        return f"there is no checkout {checkout_id} in the event store"
    if isinstance(moment, datetime):
        return f"checkout {checkout_id} was not there yet at {moment.isoformat()}"
    return f"checkout {checkout_id} has no version {moment}"
