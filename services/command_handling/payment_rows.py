"""What a payment leaves in the store beside its events: the attempt to work on, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import orjson

from domain.commands import Command, CompleteCheckout, RecordDecline, RecordPayment
from domain.events import CheckoutCompleted, Event, PaymentDeclined, PaymentStarted, RecordedEvent
from domain.rejection import Rejection, RejectionCode
from services.command_handling.command_envelope import CommandEnvelope
from services.event_store import Attempt, AttemptClosure

Seal = Callable[[bytes, str], bytes]
"""Encrypts a secret for a payment attempt's id."""


def attempts_in(
    envelope: CommandEnvelope, events: Iterable[RecordedEvent], seal: Seal, now: float
) -> list[Attempt]:
    """The payment attempts that these events start, each with its secret sealed.

    `now` is by the clock, which an event's time may be ahead of.
    """
    command = envelope.command
    if not isinstance(command, CompleteCheckout):
        return []
    secret = command.payment_data.model_dump_json(include={"token", "billing_address"}).encode()
    return [
        Attempt(
            attempt_id=started.attempt_id,
            checkout_id=recorded.checkout_id,
            command_key=envelope.key,
            amount=started.amount,
            currency=started.currency,
            provider=started.provider,
            metadata=orjson.dumps(envelope.metadata.model_dump()).decode(),
            sealed=seal(secret, started.attempt_id),
            started_at=now,
            due_at=now,
        )
        for recorded in events
        if isinstance(started := recorded.event, PaymentStarted)
    ]


def closures_in(
    envelope: CommandEnvelope, events: Iterable[RecordedEvent], at: int
) -> list[AttemptClosure]:
    """How these events end the attempt that they are about."""
    attempt_id = getattr(envelope.command, "attempt_id", None)
    if attempt_id is None:
        return []
    return [
        AttemptClosure(
            attempt_id, recorded.version, rejection_of(recorded), payment_id(recorded), at
        )
        for recorded in events
    ]


def tells_of(event: Event, command: Command | Rejection) -> bool:
    """Whether an event of the same command is what this very command led to. A payment's ends all name the
    complete that started it, so that the one who asked is not enough.
    """
    match command:
        case RecordPayment():
            return isinstance(event, CheckoutCompleted) and event.payment.id == command.payment_id
        case RecordDecline():
            return isinstance(event, PaymentDeclined) and event.attempt_id == command.attempt_id
        case _:
            return True


def rejection_of(recorded: RecordedEvent) -> Rejection | None:
    """The final answer to a complete whose payment ended so: a rejection if it was declined."""
    if not isinstance(recorded.event, PaymentDeclined):
        return None
    return Rejection(RejectionCode.PAYMENT_DECLINED, recorded.event.message, "$.payment_data")


def payment_id(recorded: RecordedEvent) -> str | None:
    """The provider's name for the payment that an event tells of."""
    event = recorded.event
    return event.payment.id if isinstance(event, CheckoutCompleted) else None
