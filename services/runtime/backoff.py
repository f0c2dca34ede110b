"""Pauses between retries: exponential, capped, with jitter.

`stamina` was tried instead. Its synchronous loop sleeps uninterruptibly, but a stop must end a pause of the
writer thread, and the `next_wait` of its attempts, for the log line of a failure, leaves out the jitter.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

_JITTER = 0.2


def pauses(first: float, longest: float) -> Iterator[float]:
    """Seconds to wait after each failure, without end.

    They double up to `longest`, each shortened by up to a fifth, so that processes which failed together
    do not all retry together.
    """
    pause = first
    while True:
        yield pause * (1 - _JITTER * random.random())  # noqa: S311 - no secret depends on it
        pause = min(pause * 2, longest)
