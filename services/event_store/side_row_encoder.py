"""Turns the side rows of a decision into rows that the store writes in the events' transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

import orjson

from domain.decision import CloseAttempt, OpenAttempt, SideRow
from domain.events import Metadata
from services.event_store.payment_attempts import Attempt, AttemptClosure
from services.event_store.recorder import StoredSideRow


@dataclass(frozen=True, slots=True)
class DecidedCommand:
    """The command that side rows come from. `version` is the checkout's after it, `now` the time by
    the clock in seconds since the epoch, which an event's time may be ahead of.
    """

    command_key: str
    checkout_id: str
    metadata: Metadata
    version: int
    now: float


SideRowEncoder = Callable[[SideRow, DecidedCommand], StoredSideRow]


def side_row_encoder(encrypt: Callable[[bytes, str], bytes] | None = None) -> SideRowEncoder:
    """An encoder. `encrypt` encrypts a secret for an attempt's id; only starting a payment needs it."""

    def encode(row: SideRow, command: DecidedCommand) -> StoredSideRow:
        match row:
            case OpenAttempt():
                if encrypt is None:
                    raise RuntimeError("this process has no token keys, so it can't start payments")
                return _attempt(row, command, encrypt)
            case CloseAttempt():
                return AttemptClosure(
                    row.attempt_id, command.version, row.rejection, row.payment_id, int(command.now)
                )
            case _:
                assert_never(row)

    return encode


def _attempt(
    row: OpenAttempt, command: DecidedCommand, encrypt: Callable[[bytes, str], bytes]
) -> Attempt:
    started = row.started
    secret = row.payment_data.model_dump_json(include={"token", "billing_address"}).encode()
    return Attempt(
        attempt_id=started.attempt_id,
        checkout_id=command.checkout_id,
        command_key=command.command_key,
        amount=started.amount,
        currency=started.currency,
        provider=started.provider,
        metadata=orjson.dumps(command.metadata.model_dump()).decode(),
        sealed=encrypt(secret, started.attempt_id),
        started_at=command.now,
        due_at=command.now,
    )
