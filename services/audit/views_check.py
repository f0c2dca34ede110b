"""The views in Redis held against what the store's streams fold to."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import orjson

from domain.checkout import BrokenStream, Checkout
from projections.checkout_view import RenderedView, render_view
from projections.redis.raw_views import is_of_a_later_revision, stored_form, version_of
from projections.redis.views import RedisViews
from services.audit.differences import differences
from services.audit.violations import Violation
from services.event_store import EventStore
from services.event_store.event_mapper import UnreadableEvent
from services.event_store.recorder import StreamRange

NOT_BUILT = Violation(
    "the views in Redis are not complete, or were built on another Redis: GET answers from the store; "
    "a projector builds them, or `checkout views rebuild`"
)

GRACE_SECONDS = 2.0
"""How long a view may be behind the store: its writer or the projector is about to write it."""

_MOST_SUSPECTS = 10_000
_AT_ONCE = 50
_TOLD_PATHS = 3


@dataclass(frozen=True, slots=True)
class WrongView:
    """A view that is not what the store's events fold to. `seen` is what lies there, None if nothing."""

    checkout_id: str
    seen: bytes | None
    what: str

    def violation(self) -> Violation:
        """What is wrong, with the version that the view says it shows."""
        version = version_of(self.seen) if self.seen else None
        return Violation(self.what, self.checkout_id, version)


@dataclass(frozen=True, slots=True)
class _Suspect:
    checkout_id: str
    version: int
    due: float


class ViewsCheck:
    """Is shown checkouts as the store has them. A view that differs is looked at once more, `grace`
    seconds later, against the store of then. Raises `RedisError` or `OSError` when Redis fails.
    """

    def __init__(self, views: RedisViews, store: EventStore, grace: float = GRACE_SECONDS) -> None:
        self._raw_views = views.raw_views()
        self._store = store
        self._grace = grace
        self._suspects: deque[_Suspect] = deque()
        self.count = 0
        """Checkouts whose views were looked at."""
        self._found = 0

    async def look(self, checkouts: Sequence[Checkout]) -> AsyncGenerator[WrongView, None]:
        """Compare the views of these; tells of those looked at before that are wrong for certain."""
        for start in range(0, len(checkouts), _AT_ONCE):
            portion = checkouts[start : start + _AT_ONCE]
            found = await self._raw_views.read([checkout.id for checkout in portion])
            due = time.monotonic() + self._grace
            self.count += len(portion)
            self._found += sum(stored is not None for stored in found)
            self._suspects.extend(
                _Suspect(checkout.id, checkout.version, due)
                for checkout, stored in zip(portion, found, strict=True)
                if stored != stored_form(render_view(checkout))
            )
        while len(self._suspects) >= _MOST_SUSPECTS:
            async for wrong in self._second_look():
                yield wrong

    async def end(self, *, is_whole_store: bool) -> AsyncGenerator[WrongView, None]:
        """The rest of the wrong ones, once all were shown; also of checkouts that the store has not, if
        it was shown as a whole.
        """
        while self._suspects:
            async for wrong in self._second_look():
                yield wrong
        if is_whole_store:
            async for wrong in self._strangers():
                yield wrong

    async def _second_look(self) -> AsyncGenerator[WrongView, None]:
        portion = [
            self._suspects.popleft() for _ in range(min(len(self._suspects), _MOST_SUSPECTS))
        ]
        await asyncio.sleep(max(0.0, portion[-1].due - time.monotonic()))
        for start in range(0, len(portion), _AT_ONCE):
            suspects = portion[start : start + _AT_ONCE]
            found = await self._raw_views.read([suspect.checkout_id for suspect in suspects])
            for suspect, seen in zip(suspects, found, strict=True):
                if what := await asyncio.to_thread(self._what_is_wrong, suspect, seen):
                    yield WrongView(suspect.checkout_id, seen, what)

    def _what_is_wrong(self, suspect: _Suspect, seen: bytes | None) -> str | None:
        """Whatever its version is by now: it must be one that the store has, no older than the first
        look's, and show what the store has at it.
        """
        if seen is None:
            return "has no view in Redis"
        if is_of_a_later_revision(seen):
            return None
        shown = version_of(seen)
        if shown < suspect.version:
            return f"the view in Redis shows version {shown}, and the store has {suspect.version}"
        checkout = self._at(suspect.checkout_id, shown)
        if checkout is None or checkout.version != shown:
            return f"the view in Redis shows version {shown}, which the store does not have"
        view = render_view(checkout)
        return None if seen == stored_form(view) else _difference(view, seen)

    def _at(self, checkout_id: str, version: int) -> Checkout | None:
        try:
            return self._store.load([StreamRange(checkout_id, until=version)]).get(checkout_id)
        except (BrokenStream, UnreadableEvent):
            return None

    async def _strangers(self) -> AsyncGenerator[WrongView, None]:
        """Views of checkouts that are not in the store."""
        count = 0
        async for _ in self._raw_views.checkout_ids():
            count += 1
        if count == self._found:
            return
        async for checkout_id in self._raw_views.checkout_ids():
            rows = await asyncio.to_thread(self._store.stream_rows, checkout_id, 0, 1, within=True)
            [seen] = await self._raw_views.read([checkout_id])
            if seen and not rows:
                what = "there is a view in Redis of a checkout that the store does not have"
                yield WrongView(checkout_id, seen, what)


def _difference(view: RenderedView, seen: bytes) -> str:
    """In which fields a view differs from what it should be."""
    try:
        body = orjson.loads(seen.partition(b"\n")[2])
    except ValueError:
        return "the view in Redis is no JSON"
    paths = [it.path for it in differences(orjson.loads(view.body), body)]
    if not paths:
        return "the view in Redis has the right fields, and is written differently"
    told = ", ".join(paths[:_TOLD_PATHS]) + (", …" if len(paths) > _TOLD_PATHS else "")
    return f"the view in Redis differs from the store in {told}"
