"""Tasks that run beside a service for its whole life."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)

_CANCEL_AGAIN_SECONDS = 0.2
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class SupervisedTask:
    """Runs a coroutine again and again; a failure costs a pause that grows, and a log line.

    `failure` is what went wrong last, None once a turn succeeds.
    """

    def __init__(self, name: str, turn: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._name = name
        self._run_once = turn
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self.failure: str | None = None

    def start(self) -> None:
        """Begin."""
        self._is_stopping = False
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """End it where it stands."""
        self._is_stopping = True
        # Libraries swallow a cancellation now and then (seen in Redis clients), so once may not do.
        while self._task and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=_CANCEL_AGAIN_SECONDS)

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._is_stopping:
            try:
                await self._run_once()
                self.failure, pause = None, _FIRST_PAUSE
                continue
            except Exception as error:
                self.failure = type(error).__name__
                logger.exception("%s failed, trying again in %.1f s", self._name, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
