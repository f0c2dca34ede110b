"""Which history a store holds: what others derive from it names the store and the epoch that they read."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from domain.lineage import Lineage
from services.event_store.recorder import Statement

__all__ = ["Lineage", "begin_epoch", "establish", "raise_epoch", "read"]

_INSERT = (
    "INSERT INTO lineage (only_row, lineage, epoch) VALUES (1, :lineage, 0) "
    "ON CONFLICT (only_row) DO NOTHING RETURNING lineage, epoch"
)
_SELECT = "SELECT lineage, epoch FROM lineage WHERE only_row = 1"
_RAISE = (
    "UPDATE lineage SET epoch = CASE WHEN epoch < :now THEN :now ELSE epoch + 1 END "
    "WHERE only_row = 1 RETURNING lineage, epoch"
)

RunStatement = Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]


def establish(run: RunStatement) -> Lineage:
    """Give a store without a lineage a new one. Safe to run by several processes at once."""
    rows = run(_SELECT, {}) or run(_INSERT, {"lineage": uuid.uuid4().hex})
    return _of(rows or run(_SELECT, {}))


def read(run: RunStatement) -> Lineage:
    """The lineage of a store that has one."""
    return _of(run(_SELECT, {}))


def raise_epoch() -> Statement:
    """The statement that begins a new epoch now."""
    return _RAISE, {"now": int(time.time())}


def begin_epoch(run: RunStatement) -> Lineage:
    """Begin a new epoch."""
    return _of(run(*raise_epoch()))


def _of(rows: list[dict[str, Any]]) -> Lineage:
    return Lineage(str(rows[0]["lineage"]), int(rows[0]["epoch"]))
