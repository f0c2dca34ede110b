"""The test provider's ledger: an SQLite file that several processes may write at once."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from services.payment_worker.payment_gateway import Charge, Undecided

_BUSY_SECONDS = 30.0

_TABLE = """
CREATE TABLE IF NOT EXISTS charges (
    attempt_id TEXT PRIMARY KEY, checkout_id TEXT NOT NULL, amount INTEGER NOT NULL,
    currency TEXT NOT NULL, fingerprint TEXT NOT NULL, calls INTEGER NOT NULL, payment_id TEXT UNIQUE,
    charged_at REAL, refunded_at REAL, refund_calls INTEGER NOT NULL DEFAULT 0
)
"""
_COUNT_CALL = """
INSERT INTO charges (attempt_id, checkout_id, amount, currency, fingerprint, calls)
VALUES (?, ?, ?, ?, ?, 1)
ON CONFLICT (attempt_id) DO UPDATE SET calls = calls + 1
RETURNING fingerprint, calls, payment_id
"""
_CHARGE = "UPDATE charges SET payment_id = ?, charged_at = ? WHERE attempt_id = ?"
_REFUND = """
UPDATE charges SET refund_calls = refund_calls + 1, refunded_at = coalesce(refunded_at, ?)
WHERE payment_id = ? AND attempt_id = ?
"""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What the provider did for one attempt. `amount` is in minor units, times are in seconds since
    the epoch.

    `calls` counts the calls for it. Without a `payment_id` nothing was charged.
    """

    attempt_id: str
    checkout_id: str
    amount: int
    currency: str
    calls: int
    payment_id: str | None
    charged_at: float | None
    refunded_at: float | None
    refund_calls: int

    @property
    def refunded(self) -> bool:
        """Whether it was refunded."""
        return self.refunded_at is not None


_ALL = (
    f"SELECT {', '.join(field.name for field in fields(LedgerEntry))} FROM charges ORDER BY rowid"  # noqa: S608
)


class ChargeLedger:
    """One row for each attempt. Tokens are stored as fingerprints. The file is created if it is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connected() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_TABLE)

    def count_call(self, charge: Charge, charges: Callable[[int], bool]) -> tuple[int, str | None]:
        """Count a call, and charge if this call does: returns its number, and the payment if there
        is one.

        Raises `Undecided` if this attempt had other parameters before.
        """
        fingerprint = _fingerprint(charge)
        row = (charge.attempt_id, charge.checkout_id, charge.amount, charge.currency, fingerprint)
        with self._connected() as connection, _transaction(connection):
            (known, call, payment_id) = connection.execute(_COUNT_CALL, row).fetchone()
            if known == fingerprint and payment_id is None and charges(call):
                payment_id = f"pay_{secrets.token_hex(12)}"
                connection.execute(_CHARGE, (payment_id, time.time(), charge.attempt_id))
        if known != fingerprint:
            reason = "the test provider knows this attempt with other parameters"
            raise Undecided(reason, needs_hand=True)
        return call, payment_id

    def refund(self, payment_id: str, attempt_id: str) -> None:
        """Refund a payment, once. Raises `Undecided` if there is no such payment."""
        with self._connected() as connection, _transaction(connection):
            refunded = connection.execute(_REFUND, (time.time(), payment_id, attempt_id)).rowcount
        if not refunded:
            raise Undecided("the test provider knows no such payment", needs_hand=True)

    def charges(self) -> list[LedgerEntry]:
        """All attempts, in the order of their first calls."""
        with self._connected() as connection:
            return [LedgerEntry(*row) for row in connection.execute(_ALL)]

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        with closing(connection):
            # Commits survive a killed process; a power cut is out of scope.
            connection.execute("PRAGMA synchronous = OFF")
            yield connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that begins with the write lock: one that reads first may fail to get it."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # Commits, or rolls back.
        yield


def _fingerprint(charge: Charge) -> str:
    parameters = (charge.checkout_id, charge.amount, charge.currency, charge.token)
    return hashlib.sha256(repr(parameters).encode()).hexdigest()
