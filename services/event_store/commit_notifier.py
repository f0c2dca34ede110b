"""Wakes workers after each commit. They also poll, in case a notification is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from services.event_store import EventStore


class CommitNotifier:
    """Set after each commit (on SQLite only after those of this process), and by `notify`."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._commits = asyncio.Event()
        self._end_watch: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Start to listen, on the running event loop."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(self._commits.set)

        self._end_watch = self._store.watch(wake)

    def stop(self) -> None:
        """Stop listening."""
        self._end_watch()

    def notify(self) -> None:
        """Wake the worker although nothing was committed."""
        self._commits.set()

    def clear(self) -> None:
        """Forget earlier notifications; call it before reading the store."""
        self._commits.clear()

    async def wait(self, within: float) -> None:
        """Return at the next notification, or after so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._commits.wait()
        except TimeoutError:
            return
