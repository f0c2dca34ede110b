"""The replies to commands: their models, and their encoding as CloudEvents."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, NamedTuple

import orjson
from pydantic import BaseModel, Field, GetPydanticSchema
from pydantic_core import core_schema

from domain.checkout_view import CheckoutView
from domain.rejection import Rejection
from domain.values import CheckoutId, Value
from projections.registry import RenderedView
from services.kafka.producer_record import ProducerRecord
from services.messages.cloud_events import SOURCE, ReplyAttributes, cloud_event, type_of
from services.messages.encoding import encode
from services.messages.errors import Error, error_of
from services.messages.rfc3339 import format_rfc3339

_RenderedCheckout = Annotated[
    orjson.Fragment,
    GetPydanticSchema(
        lambda fragment, handler: core_schema.json_or_python_schema(
            handler(CheckoutView), core_schema.is_instance_schema(fragment)
        )
    ),
]
"""A checkout whose JSON is at hand already, from its view."""


class _Reply(Value):
    command_id: str
    command_source: str
    checkout_id: CheckoutId


class CommandAccepted(_Reply):
    """The command was carried out, or changed nothing and was right all the same."""

    version: Annotated[int, Field(ge=1, description="Of the checkout, as the command left it.")]
    checkout: _RenderedCheckout


class CommandRejected(_Reply):
    """The command was rejected. Nothing was changed."""

    error: Error


REPLIES: tuple[type[BaseModel], ...] = (CommandAccepted, CommandRejected)


class RepliedCommand(NamedTuple):
    """What a reply names of its command."""

    command_id: str
    source: str
    checkout_id: str
    correlation_id: str
    traceparent: str | None


def accepted(
    topic: str, command: RepliedCommand, view: RenderedView, now: datetime
) -> ProducerRecord:
    """The `CommandAccepted` of a command that left the checkout as the view shows it."""
    reply = CommandAccepted(
        command_id=command.command_id,
        command_source=command.source,
        checkout_id=command.checkout_id,
        version=view.version,
        checkout=orjson.Fragment(view.body),
    )
    return _message(topic, reply, command, now)


def rejected(
    topic: str, command: RepliedCommand, rejection: Rejection, now: datetime
) -> ProducerRecord:
    """The `CommandRejected` of a command."""
    reply = CommandRejected(
        command_id=command.command_id,
        command_source=command.source,
        checkout_id=command.checkout_id,
        error=error_of(rejection),
    )
    return _message(topic, reply, command, now)


def _message(topic: str, reply: _Reply, command: RepliedCommand, now: datetime) -> ProducerRecord:
    data = encode(reply)
    attributes: ReplyAttributes = {
        "specversion": "1.0",
        "type": type_of(type(reply).__name__),
        "source": SOURCE,
        # Derived from the content, so that a repeated reply is the same CloudEvent.
        "id": hashlib.sha256(data).hexdigest()[:32],
        "subject": command.checkout_id,
        "time": format_rfc3339(now),
        "correlationid": command.correlation_id,
        "causationid": command.command_id,
        "causationsource": command.source,
    }
    if command.traceparent:
        attributes["traceparent"] = command.traceparent
    return cloud_event(topic, attributes, data)
