"""The store's lineage as a process knows it, so that reads and writes need not look it up each time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from domain.lineage import Lineage

FRESH_SECONDS = 1.0
"""Each process that reaches the store learns of a new epoch within this time. So a process that begins an
epoch (`EventStore.begin_epoch`) must wait this long before the first write is taken in it."""

_LONGEST_WAIT = 0.5
"""Seconds that `latest` waits for the store."""

Found = TypeVar("Found")


class KnownLineage:
    """Remembers the lineage. Threads may share it."""

    def __init__(self, read: Callable[[], Lineage]) -> None:
        self._read = read
        self._known = read(), time.monotonic()
        self._refresh: asyncio.Task[Lineage] | None = None
        self._refresh_began = 0.0

    @property
    def value(self) -> Lineage:
        """The last known lineage, without waiting."""
        return self._known[0]

    def fresh(self) -> Lineage:
        """The lineage, read again if it was last read over a second ago. Raises `StoreUnavailable`."""
        value, read_at = self._known
        return value if time.monotonic() - read_at < FRESH_SECONDS else self._read_again()

    async def latest(self) -> Lineage:
        """The lineage as `fresh` has it, or the last known one if the store does not answer soon.

        What was derived from the store stays as good as it was while nobody can reach the store.
        """
        now = time.monotonic()
        if now - self._known[1] < FRESH_SECONDS:
            return self.value
        is_running = self._refresh is not None and not self._refresh.done()
        if not is_running and now - self._refresh_began >= FRESH_SECONDS:
            self._refresh_began = now
            self._refresh = asyncio.create_task(asyncio.to_thread(self._read_again))
            self._refresh.add_done_callback(_pass_over_failure)
        if self._refresh:
            wait = self._refresh_began + _LONGEST_WAIT - now
            await asyncio.wait({self._refresh}, timeout=max(0.0, wait))
        return self.value

    def within_one_epoch(self, read: Callable[[], Found]) -> tuple[Found, int]:
        """What was read from the store, and the epoch that it is from. Raises `StoreUnavailable`.

        The lineage is looked at before and after, so that the epoch is neither too old nor too new.
        """
        while True:
            before = self.fresh()
            found = read()
            if self.fresh() == before:
                return found, before.epoch

    def _read_again(self) -> Lineage:
        asked_at = time.monotonic()
        found = self._read()
        # An answer that was overtaken by a later one must not bring an older epoch back.
        if asked_at >= self._known[1]:
            self._known = found, asked_at
        return self.value


def _pass_over_failure(refresh: asyncio.Task[Lineage]) -> None:
    """The store is down, which the store's readiness check reports."""
    if not refresh.cancelled():
        refresh.exception()
