"""A small fact of the store as a process knows it, so that reads and writes need not look it up each time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

FRESH_SECONDS = 1.0
"""Each process that reaches the store learns of a change within this time. So a process that makes one waits
this long before anything relies on it."""

_AHEAD_SECONDS = 0.5
"""From this age on a value is read again in the background, so that nobody has to wait for it."""

_LONGEST_WAIT = 0.5
"""Seconds that `latest` waits for the store."""

_RETRY_SECONDS = 0.1

_REFRESHES = ThreadPoolExecutor(4, "known")
"""Not the loop's own threads: those may all be reading streams when this is most needed."""

Value = TypeVar("Value")


class Known(Generic[Value]):
    """Remembers what `read` returned. Threads may share it."""

    def __init__(self, read: Callable[[], Value]) -> None:
        self._read = read
        self._known = read(), time.monotonic()
        self._refresh: asyncio.Future[Value] | None = None
        self._refresh_began = 0.0
        self._has_failed = False

    @property
    def value(self) -> Value:
        """The last known value, without waiting."""
        return self._known[0]

    @property
    def is_current(self) -> bool:
        """Whether the value is at most `FRESH_SECONDS` old, or this process can't reach the store at all."""
        return self._has_failed or time.monotonic() - self._known[1] < FRESH_SECONDS

    def fresh(self) -> Value:
        """The value, read again if it was last read over a second ago. Raises `StoreUnavailable`."""
        value, read_at = self._known
        return value if time.monotonic() - read_at < FRESH_SECONDS else self.read_again()

    async def latest(self) -> Value:
        """The value as `fresh` has it, or the last known one if the store does not answer soon.

        What was derived from the store stays as good as it was while nobody can reach the store.
        """
        now = time.monotonic()
        age = now - self._known[1]
        if age < _AHEAD_SECONDS:
            return self.value
        is_running = self._refresh is not None and not self._refresh.done()
        if not is_running and now - self._refresh_began >= _RETRY_SECONDS:
            self._refresh_began = now
            loop = asyncio.get_running_loop()
            self._refresh = loop.run_in_executor(_REFRESHES, self.read_again)
            self._refresh.add_done_callback(_pass_over_failure)
        if self._refresh and age >= FRESH_SECONDS and not self._has_failed:
            wait = self._refresh_began + _LONGEST_WAIT - now
            await asyncio.wait({self._refresh}, timeout=max(0.0, wait))
        return self.value

    def read_again(self) -> Value:
        """The value now. Raises `StoreUnavailable`."""
        asked_at = time.monotonic()
        try:
            found = self._read()
        except Exception:
            self._has_failed = True
            raise
        self._has_failed = False
        # An answer that was overtaken by a later one must not bring an older value back.
        if asked_at >= self._known[1]:
            self._known = found, asked_at
        return self.value


def _pass_over_failure(refresh: asyncio.Future[Value]) -> None:
    """The store is down, which the store's readiness check reports."""
    if not refresh.cancelled():
        refresh.exception()
