"""Waits for payments to end, for the requests that started them."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from domain.checkout import fold
from domain.events import RecordedEvent, UnknownEvent
from domain.payment import rejection_of
from projections.registry import RenderedView, render_view
from services.command_handling import Accepted, Rejected
from services.event_store import EventStore
from services.event_store.commit_notifier import CommitNotifier
from services.event_store.recorder import StreamRange
from services.runtime.supervised_task import SupervisedTask

_LOOK_SECONDS = 0.5
"""Seconds after which the store is polled, in case a commit notification is lost."""
_GAP_SECONDS = 0.02
"""Minimum seconds between two reads of the store, however many commits there are."""


class Paying(NamedTuple):
    """A checkout, and the version at which its payment started."""

    checkout_id: str
    version: int


class PaymentWatch:
    """One read of the store serves all waiting requests, after each commit by any process."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._waiting: dict[Paying, set[asyncio.Future[RecordedEvent]]] = {}
        self._commits = CommitNotifier(store)
        self._task = SupervisedTask("the wait for payments", self._run_once)

    async def start(self) -> None:
        """Start watching."""
        self._commits.start()
        self._task.start()

    async def stop(self) -> None:
        """Stop watching."""
        self._commits.stop()
        await self._task.stop()

    async def end(
        self, paying: Paying, *, repeated: bool
    ) -> tuple[Accepted | Rejected, RenderedView]:
        """The final answer to a complete, once there is one, and the checkout as it is by now, which may
        be later. The caller sets the time limit. Raises `StoreUnavailable`.
        """
        ended = await self._next_event(paying)
        found, epoch = await asyncio.to_thread(
            self._store.known_lineage.within_one_epoch,
            lambda: self._store.read((), [StreamRange(paying.checkout_id)]),
        )
        stream = found.streams[paying.checkout_id]
        then, now = fold(stream[: ended.version]), fold(stream)
        if then is None or now is None:
            raise RuntimeError(f"{paying.checkout_id} has no events")
        view, rejection = render_view(then, epoch), rejection_of(ended.event)
        answer = Rejected(rejection, repeated) if rejection else Accepted(view, repeated)
        return answer, render_view(now, epoch)

    async def _next_event(self, paying: Paying) -> RecordedEvent:
        future: asyncio.Future[RecordedEvent] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(paying, set()).add(future)
        self._commits.notify()
        try:
            return await future
        finally:
            self._leave(paying, future)

    def _leave(self, paying: Paying, future: asyncio.Future[RecordedEvent]) -> None:
        others = self._waiting.get(paying, set())
        others.discard(future)
        if not others:
            self._waiting.pop(paying, None)

    async def _run_once(self) -> None:
        await self._commits.wait(_LOOK_SECONDS)
        self._commits.clear()
        await self._look()
        await asyncio.sleep(_GAP_SECONDS)

    async def _look(self) -> None:
        waiting = list(self._waiting)
        if not waiting:
            return
        ranges = [StreamRange(checkout_id, version) for checkout_id, version in waiting]
        found = await asyncio.to_thread(self._store.read, (), ranges)
        for paying in waiting:
            # No other command is accepted while a payment runs, so the next event is its end.
            later = found.streams.get(paying.checkout_id)
            # Whether an event of a later build is its end is unknown: the requests run into their time limit.
            if not later or isinstance(later[0].event, UnknownEvent):
                continue
            for future in self._waiting.get(paying, set()):
                if not future.done():
                    future.set_result(later[0])
