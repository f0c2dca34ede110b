"""What keeps a Redis that hangs or is gone from holding up whoever asks it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

REDIS_FAILURES = (RedisError, OSError)
"""What a call to a Redis that is gone raises; a `TimeoutError` is an `OSError`."""

BOUND_SECONDS = 0.5
"""For which an answer is awaited at most."""

PAUSE_SECONDS = 1.0
"""For which Redis is best not asked after a failure, so that not each call waits for the bound."""


class CircuitBreaker:
    """Remembers for a while that Redis failed, so that callers go another way at once."""

    def __init__(self) -> None:
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether Redis failed a moment ago."""
        return time.monotonic() < self._open_until

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Bound the calls within the block. Raises what they raise, or `TimeoutError`.

        What is no failure of Redis is no reason to leave it alone.
        """
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                yield
        except REDIS_FAILURES:
            self._open_until = time.monotonic() + PAUSE_SECONDS
            raise
