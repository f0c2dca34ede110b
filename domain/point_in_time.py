"""A checkout at a point in time: the fold, stopped at a version or a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import takewhile

from domain.checkout import Checkout, fold
from domain.events import RecordedEvent

Moment = int | datetime
"""A version, counted from 1, or a time with its offset."""


def as_of(stream: Iterable[RecordedEvent], moment: Moment | None = None) -> Checkout | None:
    """The checkout at a version, after the last event not later than a time, or as it is now.

    None if it did not exist then. Reads at most one event of the stream beyond that point.
    """
    checkout = fold(takewhile(lambda recorded: _is_by(recorded, moment), stream))
    if isinstance(moment, int) and checkout is not None and checkout.version != moment:
        return None
    return checkout


def _is_by(recorded: RecordedEvent, moment: Moment | None) -> bool:
    if moment is None:
        return True
    # Times never decrease in a stream, so all further events are later too.
    return recorded.at <= moment if isinstance(moment, datetime) else recorded.version <= moment
