"""Publishes stored events again, in commit order, to a topic that is not one of ours."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from domain.events import RecordedEvent
from services.event_store import EventStore
from services.event_store.stored_row import StoredRow
from services.kafka.producer_record import ProducerRecord
from services.kafka.publisher import Publisher
from services.messages.event_messages import event_message

_READ_AT_ONCE = 500
_SENT_AT_ONCE = 500
_SLICES = 10
"""Portions per second, so that the rate is even."""

REPLAY_ID = "ce_replayid"
"""The header that marks an event as replayed, with the id of the replay."""
REPLAY_POSITION = "ce_replayposition"
"""The header with the event's position in the store."""


@dataclass(frozen=True, slots=True)
class ReplayFilter:
    """Which events: of these checkouts and types (empty: all), from `since` on and before `until`."""

    checkout_ids: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def event_of(self, row: StoredRow) -> RecordedEvent | None:
        """The event of a row, None if it is not wanted. Raises `UnreadableEvent` if it might be."""
        if self.checkout_ids and row.checkout_id not in self.checkout_ids:
            return None
        if self.types and row.topic.partition(":")[0] not in self.types:
            return None
        recorded = row.event()
        if self.since and recorded.at < self.since:
            return None
        return None if self.until and recorded.at >= self.until else recorded


@dataclass(slots=True)
class ReplayCounts:
    """The progress of a replay: everything up to `position` is done, and nothing after it."""

    position: int
    read: int = 0
    matched: int = 0
    published: int = 0


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What to replay: the matching events after position `after` up to `until`, at most `limit`.

    `rate` is in events per second, None for no limit; with `topic` None nothing is published.
    """

    wanted: ReplayFilter
    after: int
    until: int
    limit: int | None
    rate: float | None
    topic: str | None
    replay_id: str


class Replay:
    """One run of a plan. `counts` are exact at any time, however it ends. Events that Kafka has not
    acknowledged are not counted, and may be published twice after a resumption.
    """

    def __init__(
        self,
        store: EventStore,
        publisher: Publisher,
        plan: ReplayPlan,
        progress: Callable[[ReplayCounts], None],
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._plan = plan
        self._progress = progress
        self._due = 0.0
        self.counts = ReplayCounts(plan.after)

    @property
    def is_complete(self) -> bool:
        """Whether the plan is done."""
        return self.counts.position >= self._plan.until

    async def run(self, stop_requested: asyncio.Event) -> None:
        """Publish until the end, the limit or a stop, whichever comes first.

        Raises `KafkaUnavailable`, `StoreUnavailable` and `UnreadableEvent`.
        """
        self._due = time.monotonic()
        while not (self.is_done or stop_requested.is_set()):
            rows = await asyncio.to_thread(self._store.rows, self.counts.position, _READ_AT_ONCE)
            rows = [row for row in rows if row.position <= self._plan.until]
            if not rows:
                self.counts.position = self._plan.until
            for portion in self._portions(rows):
                await self._publish(portion, stop_requested)
                if stop_requested.is_set() or self._is_at_limit():
                    break

    def summary(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "to": self._plan.topic,
            "replay_id": self._plan.replay_id,
            **asdict(self.counts),
            "complete": self.is_complete,
        }

    def line(self) -> str:
        """The result for a person, with how to continue if something is left."""
        counts = self.counts
        summary = f"{counts.read} events read, {counts.matched} fit, {counts.published} published"
        if self.is_complete:
            return f"{summary}: that was all"
        more = f"--from {counts.position} --replay-id {self._plan.replay_id}"
        return f"{summary}; the rest with {more}"

    @property
    def is_done(self) -> bool:
        """Whether it reached its end or its limit."""
        return self.is_complete or self._is_at_limit()

    def _is_at_limit(self) -> bool:
        return self._plan.limit is not None and self.counts.matched >= self._plan.limit

    def _portions(
        self, rows: list[StoredRow]
    ) -> Iterator[list[tuple[StoredRow, RecordedEvent | None]]]:
        """Rows with the wanted events, in portions of as many events as are sent at once."""
        portion: list[tuple[StoredRow, RecordedEvent | None]] = []
        wanted = 0
        for row in rows:
            recorded = self._plan.wanted.event_of(row)
            portion.append((row, recorded))
            wanted += recorded is not None
            if wanted == self._at_once():
                yield portion
                portion, wanted = [], 0
        if portion:
            yield portion

    def _at_once(self) -> int:
        size = _SENT_AT_ONCE
        if self._plan.rate:
            size = max(1, min(size, int(self._plan.rate / _SLICES)))
        if self._plan.limit is not None:
            size = min(size, self._plan.limit - self.counts.matched)
        return size

    async def _publish(
        self, portion: list[tuple[StoredRow, RecordedEvent | None]], stop_requested: asyncio.Event
    ) -> None:
        messages = [self._message(row) for row, recorded in portion if recorded]
        if messages and self._plan.topic:
            if not await self._is_due(len(messages), stop_requested):
                return
            await self._publisher.publish(messages)
            self.counts.published += len(messages)
        self.counts.matched += len(messages)
        self.counts.read += len(portion)
        self.counts.position = portion[-1][0].position
        self._progress(replace(self.counts))

    async def _is_due(self, count: int, stop_requested: asyncio.Event) -> bool:
        """Wait until the rate allows the next portion; False if stopped before."""
        if not self._plan.rate:
            return True
        try:
            async with asyncio.timeout(self._due - time.monotonic()):
                await stop_requested.wait()
        except TimeoutError:
            # Time lost in a slow broker is not made up for by a higher rate.
            self._due = max(self._due, time.monotonic() - 1.0 / _SLICES) + count / self._plan.rate
            return True
        return False

    def _message(self, row: StoredRow) -> ProducerRecord:
        message = event_message(self._plan.topic or "", row)
        marks = {REPLAY_ID: self._plan.replay_id, REPLAY_POSITION: f"{row.position}"}
        headers = [*message.headers, *((name, value.encode()) for name, value in marks.items())]
        return replace(message, headers=headers)
