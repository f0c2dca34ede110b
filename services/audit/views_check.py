"""Compares the records in Redis with what the store's streams fold to."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import orjson

from domain.checkout import BrokenStream, Checkout
from projections.projection import Record
from projections.redis.raw_views import RawViews
from projections.redis.records import head_of, stored_form
from projections.redis.views import RedisViews
from projections.registry import RenderedView, render_view
from services.audit.differences import differences
from services.audit.violations import Violation
from services.event_store import EventStore
from services.event_store.event_mapper import UnreadableEvent
from services.event_store.recorder import StreamRange

NOT_BUILT = Violation(
    "the views in Redis are not complete, or were built on another Redis: GET answers from the store; "
    "a projector builds them, or `checkout views rebuild`"
)

_MISCOUNTED = (
    "lists that use it answer 503 until a projector has built the views again, "
    "or `checkout views rebuild`"
)

GRACE_SECONDS = 2.0
"""How long a record may lag behind the store: its writer or the projector is about to write it."""

_MOST_SUSPECTS = 10_000
_AT_ONCE = 50
_LISTED_PATHS = 3


@dataclass(frozen=True, slots=True)
class WrongRecord:
    """A record that is not what the store's events fold to. `seen` is what Redis has, None if nothing."""

    records: RawViews
    checkout_id: str
    seen: bytes | None
    what: str

    def violation(self) -> Violation:
        """The violation, with the version that the record says it shows."""
        version = head_of(self.seen)[0] if self.seen else None
        return Violation(self.what, self.checkout_id, version)


@dataclass(frozen=True, slots=True)
class _Suspect:
    checkout_id: str
    version: int
    due: float


class ViewsCheck:
    """Compares the records of all projections with checkouts as the store has them.

    A record that differs is compared once more, `grace` seconds later, with the store of then. Raises
    `RedisError` or `OSError` when Redis fails.
    """

    def __init__(self, views: RedisViews, store: EventStore, grace: float = GRACE_SECONDS) -> None:
        self._views = views
        self._checks = [
            _RecordsCheck(number, records, store, grace)
            for number, records in enumerate(views.raw_views())
        ]
        self.count = 0
        """Checkouts whose records were compared."""

    async def look(self, checkouts: Sequence[Checkout]) -> AsyncGenerator[WrongRecord, None]:
        """Compare the records of these; yields those of earlier calls that are certainly wrong."""
        # A later build shows more of a checkout with one of its events, at the same version.
        checkouts = [checkout for checkout in checkouts if not checkout.unknown_topic]
        self.count += len(checkouts)
        for start in range(0, len(checkouts), _AT_ONCE):
            rendered = [render_view(it) for it in checkouts[start : start + _AT_ONCE]]
            for check in self._checks:
                await check.look(rendered)
        for check in self._checks:
            async for wrong in check.second_looks(_MOST_SUSPECTS):
                yield wrong

    async def end(self, *, is_whole_store: bool) -> AsyncGenerator[WrongRecord, None]:
        """The remaining wrong records; also those of unknown checkouts, if the whole store was shown."""
        for check in self._checks:
            async for wrong in check.second_looks(1):
                yield wrong
            if is_whole_store:
                async for wrong in check.strangers():
                    yield wrong

    async def wrong_indexes(self) -> list[Violation]:
        """The indexes that do not have as many entries as were counted; none if `look` or `end` found
        checkouts that an index lacks, which says the same in more detail.
        """
        if any(check.has_found_unlisted for check in self._checks):
            return []
        return [Violation(f"{it}: {_MISCOUNTED}") for it in await self._views.miscounted()]


class _RecordsCheck:
    """Compares the records of one projection: the `number`-th of each checkout."""

    def __init__(self, number: int, records: RawViews, store: EventStore, grace: float) -> None:
        self._number = number
        self._records = records
        self._name = records.projection.name.replace("_", " ")
        self._store = store
        self._grace = grace
        self._suspects: deque[_Suspect] = deque()
        self._found = 0
        self.has_found_unlisted = False

    async def look(self, rendered: Sequence[RenderedView]) -> None:
        """Compare the records of these checkouts, and remember those that differ."""
        ids = [view.checkout_id for view in rendered]
        found, unlisted = await self._records.read(ids), await self._records.unlisted(ids)
        due = time.monotonic() + self._grace
        self._found += sum(stored is not None for stored in found)
        self._suspects.extend(
            _Suspect(view.checkout_id, view.version, due)
            for view, stored in zip(rendered, found, strict=True)
            if stored != self._expected(view) or view.checkout_id in unlisted
        )

    async def second_looks(self, least: int) -> AsyncGenerator[WrongRecord, None]:
        """Compare the suspects again, as long as there are at least so many."""
        while len(self._suspects) >= least:
            count = min(len(self._suspects), _MOST_SUSPECTS)
            portion = [self._suspects.popleft() for _ in range(count)]
            await asyncio.sleep(max(0.0, portion[-1].due - time.monotonic()))
            for start in range(0, len(portion), _AT_ONCE):
                suspects = portion[start : start + _AT_ONCE]
                ids = [suspect.checkout_id for suspect in suspects]
                found, unlisted = await self._records.read(ids), await self._records.unlisted(ids)
                for suspect, seen in zip(suspects, found, strict=True):
                    what = await asyncio.to_thread(self._what_is_wrong, suspect, seen)
                    if what is None and suspect.checkout_id in unlisted:
                        self.has_found_unlisted = True
                        what = (
                            f"the {self._name} in Redis is missing from an index, so lists lack it"
                        )
                    if what:
                        yield WrongRecord(self._records, suspect.checkout_id, seen, what)

    async def strangers(self) -> AsyncGenerator[WrongRecord, None]:
        """Records of checkouts that are not in the store."""
        count = 0
        async for _ in self._records.checkout_ids():
            count += 1
        if count == self._found:
            return
        async for checkout_id in self._records.checkout_ids():
            rows = await asyncio.to_thread(self._store.stream_rows, checkout_id, 0, 1, within=True)
            [seen] = await self._records.read([checkout_id])
            if seen and not rows:
                what = (
                    f"there is a {self._name} in Redis of a checkout that the store does not have"
                )
                yield WrongRecord(self._records, checkout_id, seen, what)

    def _expected(self, view: RenderedView) -> bytes:
        projection, record = self._records.projection, view.records[self._number]
        return stored_form(view.version, projection, record)

    def _what_is_wrong(self, suspect: _Suspect, seen: bytes | None) -> str | None:
        """Whatever the record's version is by now: the store must have it, it must not be older than at the
        first look, and the record must show what the store has at it.
        """
        if seen is None:
            return f"has no {self._name} in Redis"
        (shown, revision), there = head_of(seen), f"the {self._name} in Redis"
        if revision > self._records.projection.revision:
            return None  # A later build has written it, in a shape that this one does not know.
        if shown < suspect.version:
            return f"{there} shows version {shown}, and the store has {suspect.version}"
        checkout = self._at(suspect.checkout_id, shown)
        if checkout is None or checkout.version != shown:
            return f"{there} shows version {shown}, which the store does not have"
        view = render_view(checkout)
        if seen == self._expected(view):
            return None
        return f"{there} {_difference(view.records[self._number], seen)}"

    def _at(self, checkout_id: str, version: int) -> Checkout | None:
        try:
            return self._store.load([StreamRange(checkout_id, until=version)]).get(checkout_id)
        except (BrokenStream, UnreadableEvent):
            return None


def _difference(record: Record, seen: bytes) -> str:
    """In which fields a record differs from what it should be."""
    try:
        expected = orjson.loads(record.value)
    except ValueError:
        return "differs from the store"
    try:
        value = orjson.loads(seen.partition(b"\n")[2])
    except ValueError:
        return "is no JSON"
    paths = [it.path for it in differences(expected, value)]
    if not paths:
        return "has the right fields, and is written differently"
    described = ", ".join(paths[:_LISTED_PATHS]) + (", …" if len(paths) > _LISTED_PATHS else "")
    return f"differs from the store in {described}"
