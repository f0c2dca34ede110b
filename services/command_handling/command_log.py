"""Counts and logs the outcome of each command, of every channel."""

from __future__ import annotations

import logging

from domain.events import Channel
from services.command_handling.answers import Accepted, Answer, Expired
from services.command_handling.command_envelope import CommandEnvelope
from services.runtime.metrics import COMMANDS

logger = logging.getLogger("checkout.commands")

_LONGEST = 500
"""Characters logged of a publisher's value. Longer ones arrive on Kafka, where they are rejected."""


def log_outcome(envelope: CommandEnvelope, answer: Answer) -> None:
    """Count a command, and log a line with the ids that the client and the store know it by."""
    outcome = _outcome(answer)
    COMMANDS.labels(envelope.channel, envelope.command_name, outcome).inc()
    if logger.isEnabledFor(logging.INFO):
        logger.info("command %s", outcome, extra=_facts(envelope, answer, outcome))


def _facts(envelope: CommandEnvelope, answer: Answer, outcome: str) -> dict[str, str | int]:
    facts: dict[str, str | int] = {
        "outcome": outcome,
        "door": envelope.channel,
        "type": envelope.command_name,
        "checkout_id": envelope.checkout_id,
        "outcome_key": envelope.key,
        "actor": envelope.actor[:_LONGEST],
        "correlation_id": envelope.correlation_id[:_LONGEST],
    }
    # Over HTTP the command id may be a client's Idempotency-Key; `outcome_key` has its digest.
    if envelope.channel is Channel.KAFKA:
        facts["command_id"] = envelope.command_id[:_LONGEST]
    if envelope.traceparent:
        facts["traceparent"] = envelope.traceparent
    if isinstance(answer, Accepted):
        facts["version"] = answer.view.version
    elif not isinstance(answer, Expired):
        facts["error_code"] = answer.rejection.code.value
    return facts


def _outcome(answer: Answer) -> str:
    name = type(answer).__name__.lower()
    return f"{name}_again" if getattr(answer, "repeated", False) else name
