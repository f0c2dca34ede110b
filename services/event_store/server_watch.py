"""Notices that another PostgreSQL server or timeline has taken over, and whether commits were lost.

The store records the server it was written on. Each write compares it (`postgres_sql.WRITE_GUARD`) and is
refused on another one, so a failover that lost commits is compared before any version number is used again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.event_store.recorder import SERVER_CHANGED, Statement

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
OBJECTION_SECONDS = 2.0
"""How long a new server is compared: each process that knows a lost commit objects within this time."""

COMPARING = (
    SERVER_CHANGED
    + ": the relay compares it with what was committed before. If this lasts, see that the "
    "relay runs and reaches Kafka, or run `checkout store restored`"
)

# The timeline is the first part of the name of a WAL file. A restored dump has another database or table.
_CURRENT = (
    "(SELECT system_identifier FROM pg_control_system()) || '/' || "
    "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '/' || "
    "(SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || "
    "CAST(to_regclass('public.stored_events') AS oid)"
)
STATE = (
    "SELECT (SELECT reason FROM write_guard WHERE only_row = 1) AS reason, "  # noqa: S608 - names of our own
    f"(SELECT server FROM store_server WHERE only_row = 1) = {_CURRENT} AS is_same_server, "
    "(SELECT epoch FROM lineage WHERE only_row = 1) AS epoch, "
    "(SELECT coalesce(max(notification_id), 0) FROM stored_events) AS newest"
)
"""One row: why writes are stopped, whether the server is the recorded one, the epoch, the newest position."""
_RECORD = (
    f"INSERT INTO store_server (only_row, server) SELECT 1, {_CURRENT} ON CONFLICT (only_row) DO "
)
ESTABLISH: Statement = (_RECORD + "NOTHING RETURNING only_row", {})
"""Records the server of a store that has none yet."""
ADOPT: Statement = (_RECORD + "UPDATE SET server = excluded.server RETURNING only_row", {})
"""Records the current server as the one that the store is written on."""
_STOP = (
    "INSERT INTO write_guard AS g (only_row, reason) VALUES (1, :reason) ON CONFLICT (only_row) DO "
    "UPDATE SET reason = excluded.reason WHERE g.reason IS NULL OR g.reason = :comparing "
    "RETURNING only_row"
)
_GO_ON = (
    "UPDATE write_guard SET reason = NULL WHERE only_row = 1 AND reason = :comparing "
    "RETURNING only_row"
)


class ServerWatch:
    """What one process knows of the commits. Threads may share it."""

    def __init__(
        self,
        run: Callable[[str, Mapping[str, Any]], list[dict[str, Any]]],
        run_together: Callable[[Sequence[Statement]], bool],
    ) -> None:
        self._run = run
        self._run_together = run_together
        self._seen = 0, 0
        self._seen_lock = threading.Lock()
        self._compared_since: float | None = None
        self.is_witness = False
        """Whether this process has seen the store on the server before the one that is being compared."""

    def note(self, epoch: int, position: int) -> None:
        """Remember that the event at this position was committed in this epoch."""
        with self._seen_lock:
            self._seen = max(self._seen, (epoch, position))

    def look(self) -> None:
        """Stop writes if the server is another one, or lacks a commit. Raises `StoreUnavailable`."""
        # Before the query: a commit of another thread meanwhile is newer than the answer.
        epoch, position = self._seen
        [state] = self._run(STATE, {})
        if epoch == state["epoch"] and state["newest"] < position:
            self.object(
                f"position {position} was committed, and the event store has not: its newest event is at "
                f"{state['newest']}. It was restored, or lost commits in a failover. Writes stop until "
                "`checkout store restored` has imported what only Kafka has"
            )
        elif not state["is_same_server"]:
            self.object(COMPARING)
        elif state["reason"] == COMPARING:
            # Somebody looked before the comparison ended, and stopped writes after it. Each write itself
            # compares the server, so this lets none through on yet another one.
            self._run(_GO_ON, {"comparing": COMPARING})
        elif not state["reason"]:
            self.note(state["epoch"], state["newest"])
            self.is_witness = True
        is_comparing = state["reason"] == COMPARING and not state["is_same_server"]
        if not is_comparing:
            self._compared_since = None
        elif self._compared_since is None:
            self._compared_since = time.monotonic()

    def is_due(self) -> bool:
        """Whether no process has objected to the new server for long enough."""
        since = self._compared_since
        return since is not None and time.monotonic() - since >= OBJECTION_SECONDS

    def accept(self) -> bool:
        """Let writes go on on the new server, in the same epoch. False if a process has objected."""
        accepted = self._run_together([(_GO_ON, {"comparing": COMPARING}), ADOPT])
        self._compared_since = None
        if accepted:
            logger.warning("another PostgreSQL server took over and lost nothing: writes go on")
        return accepted

    def object(self, reason: str) -> None:
        """Stop writes, unless they are stopped already for a reason other than `COMPARING`."""
        if self._run(_STOP, {"reason": reason, "comparing": COMPARING}) and reason != COMPARING:
            logger.error("writes stopped: %s", reason)
