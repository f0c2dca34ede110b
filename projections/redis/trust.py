"""Which Redis server readers may believe. The store says it, so that all processes agree.

A server that hung, was restarted, failed over or is cut off may lack views that readers were shown from the
store meanwhile. So before anybody is shown the store instead of Redis, all stop reading Redis; and before
anybody reads it again, it has caught up.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class TrustState(StrEnum):
    """`TRUSTED`: readers read the server. `DISTRUSTED`: all read the store. `RETURNING`: all read the store,
    and show a view only once the server has it.
    """

    TRUSTED = "trusted"
    DISTRUSTED = "distrusted"
    RETURNING = "returning"


@dataclass(frozen=True, slots=True)
class Trust:
    """A reading of the trust that the store records. `run_id` is the server's, `change` counts the changes,
    and `since` is when this process first saw the last one, by `time.monotonic`.
    """

    run_id: str = ""
    state: TrustState = TrustState.DISTRUSTED
    change: int = 0
    since: float = float("-inf")

    @property
    def age(self) -> float:
        """Seconds since the last change was seen."""
        return time.monotonic() - self.since

    def is_for(self, run_id: str) -> bool:
        """Whether views are written to this server."""
        return self.state is not TrustState.DISTRUSTED and run_id == self.run_id


class TrustSource(Protocol):
    """The trust as the store records it. Each method raises what the store raises when it fails."""

    known_within: float
    """Seconds within which each process learns of a change."""

    async def latest(self) -> Trust:
        """The trust as it was within that time, or the last known one if the store is down."""

    async def move(self, before: Trust, state: TrustState, run_id: str) -> bool:
        """Change it, unless somebody else has changed it since; then return False."""


async def distrust(source: TrustSource) -> Trust:
    """Return when no process reads Redis any more, with the trust that says so. Raises what the store raises
    when it fails.
    """
    while True:
        trust = await source.latest()
        if trust.state is not TrustState.DISTRUSTED:
            await source.move(trust, TrustState.DISTRUSTED, trust.run_id)
        elif trust.age < source.known_within:
            await asyncio.sleep(source.known_within - trust.age)
        else:
            return trust
