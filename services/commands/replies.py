"""What a publisher hears of its command."""

from __future__ import annotations

import hashlib
from datetime import datetime

import orjson

from domain.refusals import Refused
from projections.view import View, rfc3339
from services.errors import flat_error
from services.handler import Submission
from services.kafka.message import Message, cloud_event


def accepted(topic: str, submission: Submission, view: View, now: datetime) -> Message:
    """`checkout.CommandAccepted`: the version the command led to, and the checkout as GET shows it."""
    data = orjson.dumps(
        {
            "command_id": submission.command_id,
            "command_source": submission.source,
            "checkout_id": submission.checkout_id,
            "version": view.version,
            "checkout": orjson.Fragment(view.body),
        }
    )
    return _reply(topic, "checkout.CommandAccepted", submission, data, now)


def rejected(topic: str, submission: Submission, refusal: Refused, now: datetime) -> Message:
    """`checkout.CommandRejected`: the flat error."""
    data = orjson.dumps(
        {
            "command_id": submission.command_id,
            "command_source": submission.source,
            "checkout_id": submission.checkout_id,
            "error": flat_error(refusal),
        }
    )
    return _reply(topic, "checkout.CommandRejected", submission, data, now)


def _reply(
    topic: str, reply_type: str, submission: Submission, data: bytes, now: datetime
) -> Message:
    attributes = {
        "type": reply_type,
        # Made of what it says, so that a repeated reply is the same CloudEvent.
        "id": hashlib.sha256(data).hexdigest()[:32],
        "time": rfc3339(now),
        "correlationid": submission.correlation_id,
        "causationid": submission.command_id,
        "causationsource": submission.source,
        "traceparent": submission.traceparent,
    }
    return cloud_event(topic, submission.checkout_id, attributes, data)
