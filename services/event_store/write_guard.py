"""Stops all writes of events while a restored store is compared with Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.event_store import lineage
from services.event_store.known import FRESH_SECONDS
from services.event_store.lineage import Lineage
from services.event_store.publication import Publication, restart_statements
from services.event_store.recorder import Statement

REASON = "SELECT reason FROM write_guard WHERE only_row = 1"
"""On SQLite, read in each transaction that writes events. On PostgreSQL that is `server_watch.STATE`."""
_SET = (
    "INSERT INTO write_guard (only_row, reason) VALUES (1, :reason) "
    "ON CONFLICT (only_row) DO UPDATE SET reason = excluded.reason RETURNING only_row"
)


class WriteGuard:
    """Whether writes are stopped, and why. `lock` is the statement that waits for running commits."""

    def __init__(
        self,
        run: Callable[[str, Mapping[str, Any]], list[dict[str, Any]]],
        run_together: Callable[[Sequence[Statement]], bool],
        lock: Sequence[Statement],
        adopt_server: Sequence[Statement] = (),
    ) -> None:
        self._run = run
        self._run_together = run_together
        self._lock = lock
        self._adopt_server = adopt_server

    def reason(self) -> str | None:
        """Why writes are stopped; None if they are not."""
        return next((row["reason"] for row in self._run(REASON, {})), None)

    def stop(self, reason: str) -> None:
        """Stop writes. When this returns, no write that had begun can still commit."""
        self._run_together([*self._lock, (_SET, {"reason": reason})])

    def release(self, publication: Publication, *, begin_epoch: bool) -> Lineage:
        """Set the relay's position, raise the epoch if wanted, record the server, and then let writes go on.

        Writes go on only when every process knows the new epoch: none may take a lost version's number
        again under the epoch before.
        """
        raised = [lineage.raise_epoch()] if begin_epoch else []
        if not self._run_together([*restart_statements(publication), *raised, *self._adopt_server]):
            raise RuntimeError("the store has no lineage")
        if begin_epoch:
            time.sleep(FRESH_SECONDS)
        self._run(_SET, {"reason": None})
        return lineage.read(self._run)
