"""The writer thread of a process. A batch holds everything that queued up while the previous one ran,
so that concurrent writers share one commit.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.checkout import BrokenStream
from domain.rejection import undecidable
from projections.registry import RenderedView
from services.command_handling.answers import Accepted, Answer, Failed, Rejected
from services.command_handling.command_envelope import CommandEnvelope
from services.command_handling.command_log import log_outcome
from services.command_handling.handler import Handler
from services.command_handling.view_writer import ViewWriter
from services.event_store import StoreUnavailable, WritesStopped
from services.event_store.event_mapper import UnreadableEvent
from services.runtime.backoff import pauses
from services.runtime.metrics import BATCH_SIZE, HANDLE_SECONDS
from services.runtime.tracing import batch_span

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


class Overloaded(Exception):
    """The writer's queue is full. Nothing was started; try again later."""


@dataclass(slots=True)
class _Waiting:
    """Envelopes that were submitted together, and the future for their answers."""

    envelopes: Sequence[CommandEnvelope]
    answers: asyncio.Future[list[Answer]]


class GroupCommitter:
    """Feeds the handler from many tasks, and writes the changed views before it answers.

    `is_healthy` is False while the store fails; the writer keeps retrying.
    """

    def __init__(
        self,
        handler: Handler,
        views: ViewWriter,
        max_batch: int = 500,
        max_queue: int = 2_000,
    ) -> None:
        self._handler = handler
        self._views = views
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._deliveries: set[asyncio.Task[None]] = set()
        self.is_healthy = True
        self._stopped: str | None = None

    def start(self) -> None:
        """Start the thread. Answers are delivered on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self, within: float = 3.0) -> None:
        """Finish the current batch, within so many seconds."""
        self._stopping.set()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, within)
        if self._deliveries:
            await asyncio.wait(self._deliveries, timeout=within)

    @property
    def failure(self) -> str | None:
        """Why commands are not being recorded; None if they are."""
        if not self._thread.is_alive():
            return "the writer thread has ended"
        if self.is_healthy:
            return None
        return self._stopped or "the event store does not take writes"

    async def submit(self, envelopes: Sequence[CommandEnvelope]) -> list[Answer]:
        """Queue envelopes, to be decided in this order, and wait for their answers.

        Raises `Overloaded`. Cancelling the wait does not cancel the commands.
        """
        if not envelopes:
            return []
        if self._queue.qsize() >= self._max_queue:
            raise Overloaded("too many writes are waiting")
        entry = _Waiting(envelopes, asyncio.get_running_loop().create_future())
        self._queue.put(entry)
        return await entry.answers

    async def show(self, views: Sequence[RenderedView]) -> bool:
        """Write views. Returns whether readers see them, or newer ones, from now on."""
        return await self._views.show(views)

    async def show_for_certain(self, answers: Sequence[Answer]) -> None:
        """Wait, without a limit, until readers see the views of these answers.

        For a channel that can't answer "recorded, but not readable yet".
        """
        unseen = [a.view_to_write for a in answers if isinstance(a, Accepted) and not a.readable]
        await self._views.show_for_certain(unseen)

    def _run(self) -> None:
        while entries := self._collect():
            batch = [envelope for entry in entries for envelope in entry.envelopes]
            BATCH_SIZE.observe(len(batch))
            answers = self._persist(batch)
            if answers is None or self._loop is None:
                return
            self._loop.call_soon_threadsafe(self._begin_delivery, entries, answers)

    def _collect(self) -> list[_Waiting]:
        first = self._queue.get()
        if first is None:
            return []
        entries, size = [first], len(first.envelopes)
        while size < self._max_batch:
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                break
            if entry is None:
                self._queue.put(None)
                break
            entries.append(entry)
            size += len(entry.envelopes)
        return entries

    def _persist(self, batch: Sequence[CommandEnvelope]) -> list[Answer] | None:
        """Handle a batch, retrying while the store is unavailable; None if stopped before it is back."""
        for pause in pauses(_FIRST_PAUSE, _LONGEST_PAUSE):
            try:
                traces = (envelope.traceparent for envelope in batch)
                spanned = batch_span("handle", "INTERNAL", traces, checkout__commands=len(batch))
                with HANDLE_SECONDS.time(), spanned:
                    answers = self._without_poison(batch)
            except StoreUnavailable as error:
                self._stopped = str(error) if isinstance(error, WritesStopped) else None
                self.is_healthy = False
                self._handler.forget()
                logger.warning("the store takes no writes, next try in %.2f s: %s", pause, error)
                if self._stopping.wait(pause):
                    break
            else:
                self.is_healthy = True
                return answers
        return None

    def _without_poison(self, batch: Sequence[CommandEnvelope]) -> list[Answer]:
        """Handle a batch. One that fails on a bug is halved, until the command at fault fails alone."""
        try:
            return self._handler.handle(batch)
        except StoreUnavailable:
            raise
        except (UnreadableEvent, BrokenStream) as error:
            if len(batch) <= 1:
                logger.error("a command can't be decided, because of its checkout: %s", error)
                return [Rejected(undecidable()) for _ in batch]
        except Exception:
            # The key, because the command's id may be a client's secret Idempotency-Key.
            if len(batch) <= 1:
                logger.exception("command %s failed", "".join(s.key for s in batch))
                return [Failed(self._handler.version(s.checkout_id)) for s in batch]
        half = len(batch) // 2
        return self._without_poison(batch[:half]) + self._without_poison(batch[half:])

    def _begin_delivery(self, entries: list[_Waiting], answers: list[Answer]) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(entries, answers))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, entries: list[_Waiting], answers: list[Answer]) -> None:
        """Write the views that a batch changed, then deliver each caller's answers."""
        envelopes = [envelope for entry in entries for envelope in entry.envelopes]
        for envelope, answer in zip(envelopes, answers, strict=True):
            log_outcome(envelope, answer)
        views = [it.view_to_write for it in answers if isinstance(it, Accepted)]
        traces = (envelope.traceparent for envelope in envelopes)
        with batch_span("write views", "CLIENT", traces, checkout__views=len(views)):
            readable = await self._views.show(views)
        if not readable:
            answers = [
                replace(answer, readable=False) if isinstance(answer, Accepted) else answer
                for answer in answers
            ]
        start = 0
        for entry in entries:
            end = start + len(entry.envelopes)
            if not entry.answers.done():
                entry.answers.set_result(answers[start:end])
            start = end
