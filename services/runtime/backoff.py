"""The pauses between retries of something that fails: exponential, capped, with jitter.

`stamina` was tried instead. Its loop can't be ended during a pause, as a stop of the writer thread must,
and the pause that it reports, which our log lines name, is not the one that it takes.
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
