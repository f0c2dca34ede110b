"""Background tasks that run as long as a service does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from services.runtime.backoff import pauses

logger = logging.getLogger(__name__)

_CANCEL_AGAIN_SECONDS = 0.2
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class SupervisedTask:
    """Runs a coroutine again and again. After a failure it logs a line and waits, longer each time.

    `failure` is the last error, None after a success.
    """

    def __init__(self, name: str, turn: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._name = name
        self._run_once = turn
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self.failure: str | None = None

    def start(self) -> None:
        """Start the task."""
        self._is_stopping = False
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Cancel the task."""
        self._is_stopping = True
        # Libraries sometimes swallow a cancellation (seen in Redis clients), so it is repeated.
        while self._task and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=_CANCEL_AGAIN_SECONDS)

    async def _run(self) -> None:
        while not self._is_stopping:
            for pause in pauses(_FIRST_PAUSE, _LONGEST_PAUSE):
                if await self._has_run(pause) or self._is_stopping:
                    break
                await asyncio.sleep(pause)

    async def _has_run(self, pause: float) -> bool:
        try:
            await self._run_once()
        except Exception as error:
            self.failure = type(error).__name__
            logger.exception("%s failed, trying again in %.1f s", self._name, pause)
            return False
        self.failure = None
        return True
