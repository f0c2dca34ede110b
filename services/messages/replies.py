"""The replies to commands: their models, and their encoding as CloudEvents."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import orjson
from pydantic import BaseModel, Field

from domain.checkout_view import CheckoutView
from domain.rejection import Rejection
from domain.values import CheckoutId, Value
from projections.registry import RenderedView
from services.kafka.producer_record import ProducerRecord
from services.messages.cloud_events import SOURCE, TYPE_PREFIX, ReplyAttributes, cloud_event
from services.messages.errors import Error, error_of
from services.messages.rfc3339 import format_rfc3339


class _Reply(Value):
    command_id: str
    command_source: str
    checkout_id: CheckoutId


class CommandAccepted(_Reply):
    """The command was carried out, or changed nothing and was right all the same."""

    version: Annotated[int, Field(ge=1, description="Of the checkout, as the command left it.")]
    checkout: CheckoutView


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
    # The view is JSON already.
    result = {"version": view.version, "checkout": orjson.Fragment(view.body)}
    return _reply(topic, CommandAccepted, command, result, now)


def rejected(
    topic: str, command: RepliedCommand, rejection: Rejection, now: datetime
) -> ProducerRecord:
    """The `CommandRejected` of a command."""
    result = {"error": error_of(rejection).model_dump()}
    return _reply(topic, CommandRejected, command, result, now)


def _reply(
    topic: str,
    model: type[_Reply],
    command: RepliedCommand,
    result: dict[str, Any],
    now: datetime,
) -> ProducerRecord:
    named = _Reply(
        command_id=command.command_id,
        command_source=command.source,
        checkout_id=command.checkout_id,
    )
    data = orjson.dumps(named.model_dump() | result)
    attributes: ReplyAttributes = {
        "specversion": "1.0",
        "type": f"{TYPE_PREFIX}{model.__name__}",
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
