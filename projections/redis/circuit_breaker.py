"""A circuit breaker: a Redis that hangs or is down must not hold up its callers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

REDIS_FAILURES = (RedisError, OSError)
"""The exceptions of a call to a Redis that is down; a `TimeoutError` is an `OSError`."""

BOUND_SECONDS = 0.5
"""The longest wait for an answer."""

PAUSE_SECONDS = 1.0
"""How long Redis is not called after a failure, so that not every call waits for the time limit."""


class CircuitBreaker:
    """Remembers for a while that Redis failed, so that callers take another way at once."""

    def __init__(self) -> None:
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether Redis failed a moment ago."""
        return time.monotonic() < self._open_until

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Limit the time of the calls within the block. Raises what they raise, or `TimeoutError`.

        An exception that is not a failure of Redis does not open the breaker.
        """
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                yield
        except REDIS_FAILURES:
            self._open_until = time.monotonic() + PAUSE_SECONDS
            raise
