"""Polling for conditions that another thread or process brings about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


def eventually(condition: Callable[[], object], within: float = 10.0) -> None:
    """Return as soon as the condition holds; raises `AssertionError` after `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {within} s"
        time.sleep(0.01)


async def eventually_async(
    condition: Callable[[], Awaitable[object]], within: float = 10.0
) -> None:
    """The same for an awaitable condition, without blocking the event loop."""
    deadline = time.monotonic() + within
    while not await condition():
        assert time.monotonic() < deadline, f"still not so after {within} s"
        await asyncio.sleep(0.02)
