"""Has the relay publish stored events again. Only the relay publishes, so their order is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from services.event_store import EventStore
from services.event_store.publication import Publication

_POLL_SECONDS = 0.2


class NotPublishing(Exception):
    """The relay's position did not move. The request stays: a relay carries it out when it can."""


@dataclass(slots=True)
class Republished:
    """The progress: the events after position `after` are on `topic` again, up to `position`. It is done
    at `until`, the newest position when it started.
    """

    topic: str
    after: int
    until: int
    position: int

    @property
    def is_complete(self) -> bool:
        """Whether everything is published."""
        return self.position >= self.until

    def as_json(self) -> dict[str, Any]:
        """The progress by its names."""
        return {**asdict(self), "complete": self.is_complete}

    def line(self) -> str:
        """The same for a person."""
        done = f"the events of positions {self.after + 1} to {self.position} are on {self.topic}"
        if self.until <= self.after:
            return f"No event is after position {self.after}: the relay continues from there"
        if self.is_complete:
            return f"Done: {done}"
        return f"Up to now {done}. The relay continues up to {self.until} and beyond"


class Republish:
    """One request, and the wait until the relay has carried it out.

    `ends` are the end offsets of the topic's partitions now.
    """

    def __init__(self, store: EventStore, topic: str, ends: dict[int, int], after: int) -> None:
        self._store = store
        self._ends = ends
        self.progress = Republished(topic, after, store.newest(), after)

    def request(self) -> None:
        """Move the relay's position. The active relay continues from there with its next batch."""
        progress = self.progress
        self._store.publication.restart(
            Publication(progress.after, topic=progress.topic, ends=self._ends)
        )

    async def watch(
        self,
        show: Callable[[Republished], None],
        stop_requested: asyncio.Event,
        patience: float = 60.0,
    ) -> None:
        """Return when all is published or a stop is requested. Stopping does not stop the relay.

        Raises `NotPublishing` if the position does not move for `patience` seconds.
        """
        moved_at = time.monotonic()
        while not (self.progress.is_complete or stop_requested.is_set()):
            publication = await asyncio.to_thread(self._store.publication.read)
            if publication.position != self.progress.position:
                self.progress.position, moved_at = publication.position, time.monotonic()
                show(self.progress)
            elif time.monotonic() - moved_at > patience:
                raise NotPublishing(
                    f"the relay's position has been {self.progress.position} for {patience:.0f} s: is "
                    "`checkout relay` running, and what does its /readyz say? It carries the request "
                    "out as soon as it can publish"
                )
            else:
                await asyncio.sleep(_POLL_SECONDS)
