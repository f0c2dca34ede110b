"""Waiting for payments to end, on behalf of the requests that started them."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from domain.events import RecordedEvent
from projections.view import View, view_of
from services.background import Background
from services.handler import Accepted, Rejected, refusal_of
from services.news import CommitNews
from services.store import EventStore
from services.store.recorder import StreamRange

_LOOK_SECONDS = 0.5
"""How long an end that nobody told us of may go unnoticed."""
_GAP_SECONDS = 0.02
"""Between two looks, however many commits there are."""


class Paying(NamedTuple):
    """A checkout, and the version at which its payment started."""

    checkout_id: str
    version: int


class PaymentWatch:
    """One look at the store for all who wait, at each commit: whoever settled the payment."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._waiting: dict[Paying, set[asyncio.Future[RecordedEvent]]] = {}
        self._news = CommitNews(store)
        self._background = Background("the wait for payments", self._turn)

    async def start(self) -> None:
        """Begin to look."""
        self._news.start()
        self._background.start()

    async def stop(self) -> None:
        """Look no more."""
        self._news.stop()
        await self._background.stop()

    async def end(self, paying: Paying, *, repeated: bool) -> tuple[Accepted | Rejected, View]:
        """The final answer to a complete, once there is one, and the checkout as it is then; who waits
        sets the bound. Raises `StoreUnavailable`.
        """
        ended = await self._next_event(paying)
        stream = StreamRange(paying.checkout_id, 0, ended.version)
        found = await asyncio.to_thread(self._store.load, [stream])
        view, refusal = view_of(found[paying.checkout_id]), refusal_of(ended)
        return Rejected(refusal, repeated) if refusal else Accepted(view, repeated), view

    async def _next_event(self, paying: Paying) -> RecordedEvent:
        future: asyncio.Future[RecordedEvent] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(paying, set()).add(future)
        self._news.tell()
        try:
            return await future
        finally:
            self._leave(paying, future)

    def _leave(self, paying: Paying, future: asyncio.Future[RecordedEvent]) -> None:
        others = self._waiting.get(paying, set())
        others.discard(future)
        if not others:
            self._waiting.pop(paying, None)

    async def _turn(self) -> None:
        await self._news.wait(_LOOK_SECONDS)
        self._news.take()
        await self._look()
        await asyncio.sleep(_GAP_SECONDS)

    async def _look(self) -> None:
        waiting = list(self._waiting)
        if not waiting:
            return
        ranges = [StreamRange(checkout_id, version) for checkout_id, version in waiting]
        found = await asyncio.to_thread(self._store.read, (), ranges)
        for paying in waiting:
            # While a payment runs nothing else can happen, so what comes next is its end.
            later = found.streams.get(paying.checkout_id)
            if not later:
                continue
            for future in self._waiting.get(paying, set()):
                if not future.done():
                    future.set_result(later[0])
