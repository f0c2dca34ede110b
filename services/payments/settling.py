"""How a payment ended, as a submission through the door that only we have."""

from __future__ import annotations

from domain.commands import RecordDecline, RecordPayment
from domain.events import Metadata
from domain.refusals import RefusalCode
from services.handler import INTERNAL, Answer, Rejected, Submission
from services.store import Attempt


def settlement(
    attempt: Attempt, metadata: Metadata, ask: RecordPayment | RecordDecline
) -> Submission:
    """The command that settles an attempt. Its events name the complete that started the payment.

    It leaves no outcome: the checkout's own state knows which attempt is running.
    """
    return Submission(
        door=INTERNAL,
        source=metadata.command_source,
        command_id=metadata.command_id,
        checkout_id=attempt.checkout_id,
        ask=ask,
        fingerprint="",
        actor=metadata.actor,
        correlation_id=metadata.correlation_id,
        traceparent=metadata.traceparent,
        remembered=False,
    )


def ended_otherwise(answer: Answer) -> bool:
    """Whether the answer to a settlement is that the attempt had ended in another way before."""
    return isinstance(answer, Rejected) and answer.refusal.code is RefusalCode.ATTEMPT_CLOSED
