"""News of commits: whoever works on what the event store holds is woken by them, and looks by a timer too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from services.event_store import EventStore


class CommitNotifier:
    """Set at each commit, by any process where the database can tell, and by `notify`."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._commits = asyncio.Event()
        self._end_watch: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to listen, on the event loop that runs now."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(self._commits.set)

        self._end_watch = self._store.watch(wake)

    def stop(self) -> None:
        """Listen no more."""
        self._end_watch()

    def notify(self) -> None:
        """There is something to look at that no commit tells of."""
        self._commits.set()

    def clear(self) -> None:
        """What was told so far is about to be looked at."""
        self._commits.clear()

    async def wait(self, within: float) -> None:
        """Return at the next news, or after so many seconds: a commit may go untold."""
        try:
            async with asyncio.timeout(within):
                await self._commits.wait()
        except TimeoutError:
            return
