"""Reads a checkout as it was, and its events, from the event store."""

from __future__ import annotations

from collections.abc import Iterator

from domain.events import RecordedEvent
from domain.point_in_time import Moment, as_of
from projections.registry import RenderedView, render_view
from services.event_store import EventStore
from services.event_store.recorder import StreamRange
from services.messages.encoding import encode
from services.messages.event_messages import EventPage

_PAGE = 500
"""Events in memory at once, however long a stream is."""


class HistoryReader:
    """Synchronous, for a thread to use. Each call raises `StoreUnavailable` if the store fails."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def view_at(self, checkout_id: str, moment: Moment) -> RenderedView | None:
        """The checkout as it was at a version, or after the last event not later than a time.

        None if it had no such version, or did not exist yet.
        """
        checkout, epoch = self._store.known_lineage.within_one_epoch(
            lambda: as_of(self._stream(checkout_id), moment)
        )
        return render_view(checkout, epoch) if checkout else None

    def events_after(self, checkout_id: str, version: int, limit: int) -> bytes | None:
        """The JSON of at most `limit` events after a version, oldest first, and whether there are
        more; None if there is no such checkout.
        """
        found = self._store.stream_rows(checkout_id, version, limit + 1, within=True)
        if not found and not self._store.version(checkout_id):
            return None
        return encode(EventPage.of(found[:limit], has_more=len(found) > limit))

    def _stream(self, checkout_id: str) -> Iterator[RecordedEvent]:
        after = 0
        while page := self._range(checkout_id, after, after + _PAGE):
            yield from page
            after += len(page)

    def _range(self, checkout_id: str, after: int, until: int) -> list[RecordedEvent]:
        """The events with versions above `after`, up to `until`."""
        snapshot = self._store.read((), [StreamRange(checkout_id, after, until)])
        return list(snapshot.streams.get(checkout_id, ()))
