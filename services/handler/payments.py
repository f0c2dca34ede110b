"""What a payment leaves in the store beside its events: the attempt to work on, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import orjson

from domain.commands import Command, CompleteCheckout, RecordDecline, RecordPayment
from domain.events import CheckoutCompleted, Event, PaymentDeclined, PaymentStarted, RecordedEvent
from domain.refusals import RefusalCode, Refused
from services.handler.submission import Submission
from services.store import Attempt, Settlement

INTERNAL = "internal"
"""The door of what payment workers hand in: no publisher and no client can come through it."""

Seal = Callable[[bytes, str], bytes]
"""Encrypts a secret for a payment attempt's id."""


def attempts_in(
    submission: Submission, events: Iterable[RecordedEvent], seal: Seal, now: float
) -> list[Attempt]:
    """The payment attempts that these events start, each with its secret sealed.

    `now` is by the clock, which an event's time may be ahead of.
    """
    ask = submission.ask
    if not isinstance(ask, CompleteCheckout):
        return []
    secret = ask.payment_data.model_dump_json(include={"token", "billing_address"}).encode()
    return [
        Attempt(
            attempt_id=started.attempt_id,
            checkout_id=recorded.checkout_id,
            command_key=submission.key,
            amount=started.amount,
            currency=started.currency,
            provider=started.provider,
            metadata=orjson.dumps(submission.metadata.model_dump()).decode(),
            sealed=seal(secret, started.attempt_id),
            started_at=now,
            due_at=now,
        )
        for recorded in events
        if isinstance(started := recorded.event, PaymentStarted)
    ]


def settlements_in(
    submission: Submission, events: Iterable[RecordedEvent], at: int
) -> list[Settlement]:
    """How these events end the attempt that they are about."""
    attempt_id = getattr(submission.ask, "attempt_id", None)
    if attempt_id is None:
        return []
    return [
        Settlement(attempt_id, recorded.version, refusal_of(recorded), payment_id(recorded), at)
        for recorded in events
    ]


def tells_of(event: Event, ask: Command | Refused) -> bool:
    """Whether an event of the same command is what this very ask led to. A payment's ends all name the
    complete that started it, so that the one who asked is not enough.
    """
    match ask:
        case RecordPayment():
            return isinstance(event, CheckoutCompleted) and event.payment.id == ask.payment_id
        case RecordDecline():
            return isinstance(event, PaymentDeclined) and event.attempt_id == ask.attempt_id
        case _:
            return True


def refusal_of(recorded: RecordedEvent) -> Refused | None:
    """The final answer to a complete whose payment ended so: a refusal if it was declined."""
    if not isinstance(recorded.event, PaymentDeclined):
        return None
    return Refused(RefusalCode.PAYMENT_DECLINED, recorded.event.message, "$.payment_data")


def payment_id(recorded: RecordedEvent) -> str | None:
    """The provider's name for the payment that an event tells of."""
    event = recorded.event
    return event.payment.id if isinstance(event, CheckoutCompleted) else None
