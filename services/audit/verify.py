"""Verifies everything recorded against the rules, and store, Redis and Kafka against each other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from domain.events import UnknownEvent
from projections.redis.views import RedisViews
from services.audit.attempts_check import lost_payments
from services.audit.streams import Portion, portions_of
from services.audit.topic_check import TopicCheck
from services.audit.views_check import NOT_BUILT, ViewsCheck
from services.audit.violations import Progress, Violation
from services.event_store import EventStore
from services.event_store.positions import RELAY
from services.kafka.connection import KafkaConnection


@dataclass(slots=True)
class VerificationCounts:
    """What was checked. `views` and `records` are None if Redis and Kafka were left out.

    `unknown_events` counts the events of later builds by topic: only their order and copies are checked.
    """

    checkouts: int = 0
    events: int = 0
    views: int | None = None
    records: int | None = None
    waiting: int = 0
    violations: int = 0
    unknown_events: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The counts by their names; without `unknown_events` if there are none."""
        unknown = {"unknown_events": dict(self.unknown_events)} if self.unknown_events else {}
        return {name: n for name, n in asdict(self).items() if name != "unknown_events"} | unknown

    def line(self) -> str:
        """The same for a person."""
        parts = [f"{self.events} events of {self.checkouts} checkouts"]
        if self.views is not None:
            parts.append(f"{self.views} views in Redis")
        if self.records is not None:
            parts.append(f"{self.records} events on Kafka ({self.waiting} wait for the relay)")
        unknown = [f"{count} {topic}" for topic, count in sorted(self.unknown_events.items())]
        if unknown:
            parts.append(f"of later builds and unknown here: {', '.join(unknown)}")
        return f"{', '.join(parts)}: {self.violations or 'no'} violations"


class Verification:
    """One verification of these checkouts, or of the whole store if none are given.

    `views` and `topic` (how to reach Kafka, and the event topic) are checked if given. Writes
    during the verification are no violations, nor are events that the relay has not published yet.
    """

    def __init__(
        self,
        store: EventStore,
        checkout_ids: Sequence[str],
        views: RedisViews | None,
        topic: tuple[KafkaConnection, str] | None,
        progress: Progress,
    ) -> None:
        self._store = store
        self._ids = tuple(dict.fromkeys(checkout_ids))
        self._views = views
        self._topic = topic
        self._progress = progress
        self._unseen = set(self._ids)
        self.counts = VerificationCounts()

    async def violations(self) -> AsyncGenerator[Violation, None]:
        """All violations. Raises what the store, Redis and Kafka raise when they fail."""
        async for violation in self._found():
            self.counts.violations += 1
            yield violation

    async def _found(self) -> AsyncGenerator[Violation, None]:
        views: ViewsCheck | None = None
        if self._views:
            if await self._views.are_built():
                views = ViewsCheck(self._views, self._store)
            else:
                yield NOT_BUILT
        if self._topic is None:
            async for violation in self._compared(views, None):
                yield violation
            return
        # In this order: what is relayed by now is on the topic, and what is on the topic is in the
        # store.
        connection, name = self._topic
        relayed = await asyncio.to_thread(self._store.position, RELAY)
        aside = await asyncio.to_thread(self._store.set_aside.by_checkout)
        topic = TopicCheck(self._store, name, relayed, aside)
        try:
            async for violation in topic.read(connection, self._ids, self._reading):
                yield violation
            async for violation in self._compared(views, topic):
                yield violation
        finally:
            topic.close()

    async def _compared(
        self, views: ViewsCheck | None, topic: TopicCheck | None
    ) -> AsyncGenerator[Violation, None]:
        """Read the store once, and compare views and topic with it."""
        newest = await asyncio.to_thread(self._store.newest)
        portions = portions_of(self._store, self._ids)
        while portion := await asyncio.to_thread(next, portions, None):
            for violation in self._of_portion(portion, topic):
                yield violation
            lost = lost_payments(self._store, portion.checkouts)
            for violation in await asyncio.to_thread(list, lost):
                yield violation
            if views:
                async for wrong in views.look(portion.checkouts):
                    yield wrong.violation()
            self._progress("Events in the store", self.counts.events, None if self._ids else newest)
        async for violation in self._ended(views, topic):
            yield violation

    async def _ended(
        self, views: ViewsCheck | None, topic: TopicCheck | None
    ) -> AsyncGenerator[Violation, None]:
        """The violations that are known only after the whole store was read."""
        for checkout_id in self._ids:
            if checkout_id in self._unseen:
                yield Violation("is not in the event store", checkout_id)
        if views:
            async for wrong in views.end(is_whole_store=not self._ids):
                yield wrong.violation()
            if not self._ids:
                for violation in await views.wrong_indexes():
                    yield violation
            self.counts.views = views.count
        if topic:
            for violation in topic.end():
                yield violation
            self.counts.records, self.counts.waiting = topic.count, topic.waiting

    def _of_portion(self, portion: Portion, topic: TopicCheck | None) -> list[Violation]:
        self.counts.checkouts += len(portion.checkouts) + len(portion.broken)
        self.counts.events += len(portion.events)
        self.counts.unknown_events.update(
            row.topic
            for row, recorded in portion.events
            if recorded and isinstance(recorded.event, UnknownEvent)
        )
        found = list(portion.violations)
        if self._unseen:
            self._unseen -= {row.checkout_id for row, _ in portion.events}
        if topic:
            for row, recorded in portion.events:
                found += topic.compare(row, recorded)
        return found

    def _reading(self, done: int, total: int) -> None:
        self._progress("Events on Kafka", done, total)
