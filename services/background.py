"""Tasks that run beside a service for its whole life."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class Background:
    """Runs a coroutine again and again; a failure costs a pause that grows, and a log line.

    `failure` is what went wrong last, None once a turn succeeds.
    """

    def __init__(self, name: str, turn: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._name = name
        self._turn = turn
        self._task: asyncio.Task[None] | None = None
        self.failure: str | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """End it where it stands."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._turn()
                self.failure, pause = None, _FIRST_PAUSE
                continue
            except Exception as error:
                self.failure = f"{type(error).__name__}: {error}"
                logger.exception("%s failed, trying again in %.1f s", self._name, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
