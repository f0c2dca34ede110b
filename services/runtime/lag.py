"""Measures every few seconds how far a service is behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from prometheus_client import Gauge

from services.runtime.supervised_task import SupervisedTask

_MEASURE_SECONDS = 2.0
_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Lag:
    """The number of waiting items, and the age of the oldest in seconds."""

    count: int
    seconds: float


class LagMonitor:
    """Updates the two gauges of a service, and reports when more than `most` items wait.

    `measure` may raise if its servers don't answer; then that is reported.
    """

    def __init__(
        self,
        what: str,
        measure: Callable[[], Awaitable[Lag]],
        gauges: tuple[Gauge, Gauge],
        most: int,
    ) -> None:
        self._what = what
        self._measure = measure
        self._count, self._seconds = gauges
        self._most = most
        self._lag = Lag(0, 0.0)
        self._task = SupervisedTask(f"measuring how many {what}", self._run_once)

    @property
    def failure(self) -> str | None:
        """The problem if too many items wait or the lag is unknown, else None."""
        if self._task.failure:
            return f"can't be measured: {self._task.failure}"
        if self._lag.count <= self._most:
            return None
        return f"{self._lag.count} {self._what}, more than {self._most}"

    def start(self) -> None:
        """Start measuring."""
        self._task.start()

    async def stop(self) -> None:
        """Stop measuring."""
        await self._task.stop()

    async def _run_once(self) -> None:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            self._lag = await self._measure()
        self._count.set(self._lag.count)
        self._seconds.set(self._lag.seconds)
        await asyncio.sleep(_MEASURE_SECONDS)
