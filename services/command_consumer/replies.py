"""What a publisher hears of its command."""

from __future__ import annotations

import hashlib
from datetime import datetime

import orjson

from domain.rejection import Rejection
from projections.checkout_view import RenderedView
from services.command_handling import CommandEnvelope
from services.kafka.producer_record import ProducerRecord, cloud_event
from services.messages.errors import flat_error
from services.messages.rfc3339 import format_rfc3339


def accepted(
    topic: str, envelope: CommandEnvelope, view: RenderedView, now: datetime
) -> ProducerRecord:
    """`checkout.CommandAccepted`: the version the command led to, and the checkout as GET shows it."""
    data = orjson.dumps(
        {
            "command_id": envelope.command_id,
            "command_source": envelope.source,
            "checkout_id": envelope.checkout_id,
            "version": view.version,
            "checkout": orjson.Fragment(view.body),
        }
    )
    return _reply(topic, "checkout.CommandAccepted", envelope, data, now)


def rejected(
    topic: str, envelope: CommandEnvelope, rejection: Rejection, now: datetime
) -> ProducerRecord:
    """`checkout.CommandRejected`: the flat error."""
    data = orjson.dumps(
        {
            "command_id": envelope.command_id,
            "command_source": envelope.source,
            "checkout_id": envelope.checkout_id,
            "error": flat_error(rejection),
        }
    )
    return _reply(topic, "checkout.CommandRejected", envelope, data, now)


def _reply(
    topic: str, reply_type: str, envelope: CommandEnvelope, data: bytes, now: datetime
) -> ProducerRecord:
    attributes = {
        "type": reply_type,
        # Made of what it says, so that a repeated reply is the same CloudEvent.
        "id": hashlib.sha256(data).hexdigest()[:32],
        "time": format_rfc3339(now),
        "correlationid": envelope.correlation_id,
        "causationid": envelope.command_id,
        "causationsource": envelope.source,
        "traceparent": envelope.traceparent,
    }
    return cloud_event(topic, envelope.checkout_id, attributes, data)
