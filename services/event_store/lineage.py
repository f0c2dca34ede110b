"""Which history a store holds: what others derive from it names the store and the epoch that they read."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

TABLE = (
    "CREATE TABLE IF NOT EXISTS lineage (only_row integer PRIMARY KEY CHECK (only_row = 1), "
    "lineage text NOT NULL, epoch bigint NOT NULL, began_at double precision NOT NULL DEFAULT 0)"
)
_INSERT = (
    "INSERT INTO lineage (only_row, lineage, epoch) VALUES (1, :lineage, 0) "
    "ON CONFLICT (only_row) DO NOTHING RETURNING lineage, epoch"
)
_SELECT = "SELECT lineage, epoch FROM lineage WHERE only_row = 1"
_RAISE = (
    "UPDATE lineage SET epoch = epoch + 1, began_at = :now WHERE only_row = 1 "
    "RETURNING lineage, epoch"
)
_BEGAN_AT = "SELECT epoch, began_at FROM lineage WHERE only_row = 1"
RAISE_EPOCH = "UPDATE lineage SET epoch = epoch + 1 WHERE only_row = 1 RETURNING lineage, epoch"

RunStatement = Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Lineage:
    """The identity of a store's history.

    `lineage` is random, made with the store and kept by its backups. `epoch` begins at 0 and rises each
    time the store has lost history that others may have seen.
    """

    lineage: str
    epoch: int


def establish(run: RunStatement) -> Lineage:
    """Give a store without a lineage a new one. Safe to run by several processes at once."""
    rows = run(_SELECT, {}) or run(_INSERT, {"lineage": uuid.uuid4().hex})
    return _of(rows or run(_SELECT, {}))


def read(run: RunStatement) -> Lineage:
    """The lineage of a store that has one."""
    return _of(run(_SELECT, {}))


def begin_epoch(run: RunStatement) -> Lineage:
    """Raise the epoch by one."""
    return _of(run(_RAISE, {"now": time.time()}))


def began_at(run: RunStatement) -> float:
    """When the epoch began, in seconds since the epoch of Unix; 0 for the first epoch.

    An epoch's number may also be the time when it began, so that two restores of one backup differ.
    """
    [row] = run(_BEGAN_AT, {})
    return max(float(row["began_at"]), float(row["epoch"]))


def _of(rows: list[dict[str, Any]]) -> Lineage:
    return Lineage(str(rows[0]["lineage"]), int(rows[0]["epoch"]))
