"""What operators are told of each command's end, through whichever door it came: a metric, a line."""

from __future__ import annotations

import logging

from services.handler.answers import Accepted, Answer, Expired
from services.handler.submission import Submission
from services.metrics import COMMANDS

logger = logging.getLogger("checkout.commands")

_LONGEST = 500
"""Characters of what a publisher made up; Kafka's door takes far longer ones only to refuse them."""

_OPEN_DOORS = frozenset({"kafka"})
"""Where a command's id is no secret. Over HTTP it may be a client's Idempotency-Key; the digest in
`outcome_key` stands for it.
"""


def tell(submission: Submission, answer: Answer) -> None:
    """Count a command, and leave a line that finds it again on either side."""
    outcome = _outcome(answer)
    COMMANDS.labels(submission.door, submission.command_name, outcome).inc()
    if logger.isEnabledFor(logging.INFO):
        logger.info("command %s", outcome, extra=_facts(submission, answer, outcome))


def _facts(submission: Submission, answer: Answer, outcome: str) -> dict[str, str | int]:
    facts: dict[str, str | int] = {
        "outcome": outcome,
        "door": submission.door,
        "type": submission.command_name,
        "checkout_id": submission.checkout_id,
        "outcome_key": submission.key,
        "actor": submission.actor[:_LONGEST],
        "correlation_id": submission.correlation_id[:_LONGEST],
    }
    if submission.door in _OPEN_DOORS:
        facts["command_id"] = submission.command_id[:_LONGEST]
    if submission.traceparent:
        facts["traceparent"] = submission.traceparent
    if isinstance(answer, Accepted):
        facts["version"] = answer.view.version
    elif not isinstance(answer, Expired):
        facts["error_code"] = answer.refusal.code.value
    return facts


def _outcome(answer: Answer) -> str:
    name = type(answer).__name__.lower()
    return f"{name}_again" if getattr(answer, "repeated", False) else name
