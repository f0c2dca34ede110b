"""The row that names the Redis server whose views readers may believe (`projections.redis.trust`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from projections.redis.trust import Trust, TrustState
from services.event_store.known import FRESH_SECONDS, Known

_READ = "SELECT run_id, state, change FROM views_trust WHERE only_row = 1"
_FIRST = (
    "INSERT INTO views_trust (only_row, run_id, state, change) VALUES (1, :run_id, :state, 1) "
    "ON CONFLICT (only_row) DO NOTHING RETURNING change"
)
_MOVE = (
    "UPDATE views_trust SET run_id = :run_id, state = :state, change = change + 1 "
    "WHERE only_row = 1 AND change = :change RETURNING change"
)


class ViewsTrust(Known[Trust]):
    """Reads and changes the row."""

    known_within = FRESH_SECONDS

    def __init__(self, run: Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]) -> None:
        self._run = run
        self._last = Trust()
        super().__init__(self._select)

    async def latest(self) -> Trust:
        """The trust as it was within the last second, or the last known one while the store is down.

        If a slow store leaves it open, Redis is distrusted as of now.
        """
        trust = await super().latest()
        if self.is_current:
            return trust
        return replace(trust, state=TrustState.DISTRUSTED, since=time.monotonic())

    def _select(self) -> Trust:
        row = next(iter(self._run(_READ, {})), None)
        if row is None:
            return Trust()
        # No clock but this process's own: a change was committed before it is first seen here.
        is_known = row["change"] == self._last.change
        since = self._last.since if is_known else time.monotonic()
        self._last = Trust(row["run_id"], TrustState(row["state"]), row["change"], since)
        return self._last

    async def move(self, before: Trust, state: TrustState, run_id: str) -> bool:
        """Change the trust, unless it was changed since `before` was read. Raises `StoreUnavailable`."""
        return await asyncio.to_thread(self._move, before, state, run_id)

    def _move(self, before: Trust, state: TrustState, run_id: str) -> bool:
        facts = {"run_id": run_id, "state": state, "change": before.change}
        is_moved = bool(self._run(_MOVE if before.change else _FIRST, facts))
        self.read_again()
        return is_moved
