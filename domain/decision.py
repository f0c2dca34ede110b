"""What `decide` returns: events, and the side rows to write in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass

from domain.commands import PaymentData
from domain.events import Event, PaymentStarted
from domain.rejection import Rejection


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """A payment attempt for the payment workers. `payment_data` holds a secret, the buyer's token."""

    started: PaymentStarted
    payment_data: PaymentData


@dataclass(frozen=True, slots=True)
class CloseAttempt:
    """The end of a payment attempt: the payment's id at the provider, or the rejection that answers
    the complete that started the attempt.
    """

    attempt_id: str
    payment_id: str | None = None
    rejection: Rejection | None = None


SideRow = OpenAttempt | CloseAttempt
"""A change to a table beside the events. Closed, as the unions of events and commands are."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The events of an accepted command, in order, and its side rows. Both may be empty."""

    events: tuple[Event, ...]
    side_rows: tuple[SideRow, ...] = ()
