"""Payment attempts: rows that wait to be worked on, written and settled with the events they belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from domain.events import Channel
from domain.rejection import Rejection
from services.event_store import payment_attempt_sql as statements
from services.event_store.outcomes import encode_rejection


class AttemptState(StrEnum):
    """Where an attempt stands.

    `open`: the provider is to be asked, or asked again. `by_hand`: it is not asked again, somebody has to
    look. `settled`: the checkout's events say how it ended. `refund_due` and `refunded`: a success that
    came after the attempt was settled otherwise.
    """

    OPEN = "open"
    BY_HAND = "by_hand"
    SETTLED = "settled"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to pay for a checkout. Amounts are in minor units, times in seconds since the epoch.

    `command_key` is the outcome key of the complete that started it, `metadata` the JSON of who asked.
    `sealed` holds the encrypted token until the attempt is settled. `lease_until` is when another worker
    may take it over; `started_at` is since when it waits, and no later than its first ask.
    """

    attempt_id: str
    checkout_id: str
    command_key: str
    amount: int
    currency: str
    provider: str
    metadata: str
    sealed: bytes | None
    started_at: float
    state: str = AttemptState.OPEN
    asks: int = 0
    due_at: float = 0.0
    lease_owner: str | None = None
    lease_until: float = 0.0
    payment_id: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptClosure:
    """How an attempt ended, for the transaction of the events that say so: the final answer to the
    complete that started it, a version or a rejection, and when (seconds since the epoch).
    """

    attempt_id: str
    version: int
    rejection: Rejection | None
    payment_id: str | None
    at: int


_LONGEST_LEASE = 3_600.0

Rows = Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]
"""Runs one statement, with `:name` for its parameters, in a transaction of its own."""


class PaymentAttempts:
    """The table of attempts, beside the events that start and settle them."""

    def __init__(self, rows: Rows, skip_locked: str = "") -> None:
        self._rows = rows
        self._claim = statements.CLAIM.format(skip_locked=skip_locked)

    def claim(self, owner: str, now: float, lease_seconds: float, limit: int) -> list[Attempt]:
        """Take what is due and nobody else's, for so many seconds; each is to be asked now."""
        facts = {
            "owner": owner,
            "now": now,
            "until": now + lease_seconds,
            "longest": now + _LONGEST_LEASE,
            "limit": limit,
        }
        return [Attempt(**row) for row in self._rows(self._claim, facts)]

    def release(
        self,
        attempt: Attempt,
        due_at: float,
        note: str,
        state: AttemptState = AttemptState.OPEN,
    ) -> bool:
        """Let go of an attempt that is not settled; False if it is somebody else's by now."""
        facts = {
            "attempt_id": attempt.attempt_id,
            "owner": attempt.lease_owner,
            "lease_until": attempt.lease_until,
            "due_at": due_at,
            "note": note,
            "state": state.value,
        }
        return bool(self._rows(statements.RELEASE, facts))

    def came_late(self, attempt_id: str, payment_id: str, now: float) -> AttemptState | None:
        """Note that a settled attempt was paid after all: what was declined is to be given back, and
        what another payment made an order is for a person to see to. None if it is not settled.
        """
        note = f"paid as {payment_id} after it was settled"
        facts = {"attempt_id": attempt_id, "payment_id": payment_id, "now": now, "note": note}
        return next(
            (AttemptState(row["state"]) for row in self._rows(statements.REFUND, facts)), None
        )

    def hold(self, attempt_id: str, now: float) -> bool:
        """Take an open attempt from the workers, for a person to settle; False if one is at work on it."""
        facts = {"attempt_id": attempt_id, "now": now, "longest": now + _LONGEST_LEASE}
        return bool(self._rows(statements.HOLD, facts))

    def ask_again(self, attempt_id: str, now: float) -> bool:
        """Give an attempt that waits for a person back to the workers."""
        return bool(self._rows(statements.ASK_AGAIN, {"attempt_id": attempt_id, "now": now}))

    def refunded(self, attempt_id: str) -> bool:
        """Note that somebody gave back what was to be refunded; False if nothing was."""
        return bool(self._rows(statements.REFUNDED, {"attempt_id": attempt_id}))

    def get(self, attempt_id: str) -> Attempt | None:
        """One attempt, whatever its state."""
        return next(
            (Attempt(**row) for row in self._rows(statements.GET, {"attempt_id": attempt_id})), None
        )

    def page(
        self, states: Sequence[AttemptState], after: str = "", limit: int = 100
    ) -> list[Attempt]:
        """Attempts in these states, by id, after an id."""
        listed = ", ".join(f"'{state.value}'" for state in states)
        facts = {"after": after, "limit": limit}
        return [Attempt(**row) for row in self._rows(statements.LIST.format(states=listed), facts)]

    def waiting(self) -> dict[AttemptState, tuple[int, float]]:
        """How many attempts wait in each state, and when the oldest of them was started."""
        return {
            AttemptState(row["state"]): (row["number"], row["oldest"])
            for row in self._rows(statements.COUNTS, {})
        }


def insert_parameters(attempt: Attempt) -> dict[str, Any]:
    """The parameters of `INSERT`."""
    return asdict(attempt) | {"state": str(attempt.state)}


def closure_parameters(closure: AttemptClosure) -> dict[str, Any]:
    """The parameters of `CLOSE`."""
    return {
        "attempt_id": closure.attempt_id,
        "version": closure.version,
        "rejection": encode_rejection(closure.rejection),
        "payment_id": closure.payment_id,
        "at": closure.at,
        "http_keys": f"{Channel.HTTP}:%",
    }
