"""How a payment ended, as a command on the internal channel."""

from __future__ import annotations

from domain.commands import RecordDecline, RecordPayment
from domain.events import Channel, Metadata
from domain.rejection import RejectionCode
from services.command_handling import Answer, CommandEnvelope, Rejected
from services.event_store import Attempt


def outcome_command(
    attempt: Attempt, metadata: Metadata, command: RecordPayment | RecordDecline
) -> CommandEnvelope:
    """The command that ends an attempt. Its events name the complete that started the payment.

    It leaves no outcome: the checkout's state says which attempt is running.
    """
    return CommandEnvelope(
        channel=Channel.INTERNAL,
        source=metadata.command_source,
        command_id=metadata.command_id,
        checkout_id=attempt.checkout_id,
        command=command,
        fingerprint="",
        actor=metadata.actor,
        correlation_id=metadata.correlation_id,
        traceparent=metadata.traceparent,
        remembered=False,
    )


def was_already_closed(answer: Answer) -> bool:
    """Whether the answer to an `outcome_command` is that the attempt had already ended otherwise."""
    return isinstance(answer, Rejected) and answer.rejection.code is RejectionCode.ATTEMPT_CLOSED
