"""Payment attempts: work for the payment workers, opened and closed in the transactions of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from domain.events import Channel
from domain.rejection import Rejection
from services.event_store import payment_attempt_sql as statements
from services.event_store.outcomes import encode_rejection
from services.event_store.recorder import Statement


class AttemptState(StrEnum):
    """The state of an attempt.

    `open`: a worker calls the provider, again if need be. `by_hand`: no worker calls the provider; an
    operator must resolve it. `settled`: the checkout's events say how it ended. `refund_due` and
    `refunded`: the provider reported success after the attempt had ended otherwise.
    """

    OPEN = "open"
    BY_HAND = "by_hand"
    SETTLED = "settled"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to pay for a checkout. Amounts are in minor units, times in seconds since the epoch.

    `command_key` is the outcome key of the complete that started it; `metadata` is that command's, as
    JSON. `sealed` holds the encrypted token until the attempt ends. `asks` counts the calls of the
    provider. Another worker may take over from `lease_until` on. `started_at` is never later than the
    first call of the provider.
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

    def statements(self) -> list[Statement]:
        """The statement that inserts the attempt."""
        return [(statements.INSERT, asdict(self) | {"state": str(self.state)})]


@dataclass(frozen=True, slots=True)
class AttemptClosure:
    """The end of an attempt, with the final answer to the complete that started it: a version or a
    rejection. `at` is in seconds since the epoch.
    """

    attempt_id: str
    version: int
    rejection: Rejection | None
    payment_id: str | None
    at: int

    def statements(self) -> list[Statement]:
        """The statements that write the final answer into the complete's outcome and delete the token."""
        parameters = {
            "attempt_id": self.attempt_id,
            "version": self.version,
            "rejection": encode_rejection(self.rejection),
            "payment_id": self.payment_id,
            "at": self.at,
            "http_keys": f"{Channel.HTTP}:%",
        }
        return [(statement, parameters) for statement in statements.CLOSE]


_LONGEST_LEASE = 3_600.0

Rows = Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]
"""Runs one statement, with `:name` for its parameters, in its own transaction."""


class PaymentAttempts:
    """The table of attempts, except for what is written with events."""

    def __init__(self, rows: Rows, skip_locked: str = "") -> None:
        self._rows = rows
        self._claim = statements.CLAIM.format(skip_locked=skip_locked)

    def claim(self, owner: str, now: float, lease_seconds: float, limit: int) -> list[Attempt]:
        """Lease due attempts that no other worker holds; the caller calls the provider at once."""
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
        """End the lease of an attempt that has not ended; False if another worker holds it now."""
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
        """Record that a settled attempt was paid after all, and return its new state: `refund_due` if it
        was declined, `by_hand` if another payment made the order. None if it is not settled.
        """
        note = f"paid as {payment_id} after it was settled"
        facts = {"attempt_id": attempt_id, "payment_id": payment_id, "now": now, "note": note}
        return next(
            (AttemptState(row["state"]) for row in self._rows(statements.REFUND, facts)), None
        )

    def hold(self, attempt_id: str, now: float) -> bool:
        """Take an open attempt from the workers for manual resolution; False while a worker holds it."""
        facts = {"attempt_id": attempt_id, "now": now, "longest": now + _LONGEST_LEASE}
        return bool(self._rows(statements.HOLD, facts))

    def ask_again(self, attempt_id: str, now: float) -> bool:
        """Return a held attempt to the workers; False if it is not held."""
        return bool(self._rows(statements.ASK_AGAIN, {"attempt_id": attempt_id, "now": now}))

    def refunded(self, attempt_id: str) -> bool:
        """Record a manual refund; False if no refund was due."""
        return bool(self._rows(statements.REFUNDED, {"attempt_id": attempt_id}))

    def get(self, attempt_id: str) -> Attempt | None:
        """One attempt in any state."""
        return next(
            (Attempt(**row) for row in self._rows(statements.GET, {"attempt_id": attempt_id})), None
        )

    def page(
        self, states: Sequence[AttemptState], after: str = "", limit: int = 100
    ) -> list[Attempt]:
        """The next attempts in these states after an id, in order of their ids."""
        listed = ", ".join(f"'{state.value}'" for state in states)
        facts = {"after": after, "limit": limit}
        return [Attempt(**row) for row in self._rows(statements.LIST.format(states=listed), facts)]

    def waiting(self) -> dict[AttemptState, tuple[int, float]]:
        """By state, how many attempts wait, and when the oldest started (seconds since the epoch)."""
        return {
            AttemptState(row["state"]): (row["number"], row["oldest"])
            for row in self._rows(statements.COUNTS, {})
        }
