"""The message objects: one for each command, event and reply, and the dead letter."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from domain.commands import COMMANDS
from domain.events import PUBLISHED_EVENTS, PublishedEvent
from services.kafka.topics import Topics
from services.messages.asyncapi.examples import (
    Example,
    accepted_example,
    command_example,
    dead_letter_example,
    event_example,
    rejected_example,
)
from services.messages.asyncapi.headers import (
    KEY,
    Schema,
    command_headers,
    event_headers,
    reply_headers,
)
from services.messages.cloud_events import JSON, type_of
from services.messages.dead_letters import DeadLetterHeaders
from services.messages.replies import REPLIES, CommandAccepted, CommandRejected
from services.messages.schemas import Schemas, shape_schema

Messages = dict[str, dict[str, Any]]

BINDING_VERSION = "0.5.0"


def schemas() -> Schemas:
    """The schemas of all payloads."""
    return Schemas.of(received=COMMANDS.values(), sent=[*PUBLISHED_EVENTS.values(), *REPLIES])


def command_messages(topics: Topics, known: Schemas) -> Messages:
    """A message for each command."""
    return {
        name: _cloud_event(
            command,
            name,
            command_headers(command, topics),
            known,
            command_example(command, topics),
        )
        for name, command in COMMANDS.items()
    }


def event_messages(topics: Topics, known: Schemas) -> Messages:
    """A message for each event, and for each version of its schema."""
    return {
        _key(event): _cloud_event(
            event, event.NAME, event_headers(event), known, event_example(event, topics)
        )
        for event in PUBLISHED_EVENTS.values()
    }


def reply_messages(topics: Topics, known: Schemas) -> Messages:
    """The two replies."""
    examples: dict[type[BaseModel], Example] = {
        CommandAccepted: accepted_example(topics),
        CommandRejected: rejected_example(topics),
    }
    return {
        reply.__name__: _cloud_event(
            reply, reply.__name__, reply_headers(reply.__name__), known, example
        )
        for reply, example in examples.items()
    }


def dead_letter_messages(topics: Topics) -> Messages:
    """The dead letter, whose key, value and headers are those of another message."""
    return {
        "DeadLetter": {
            "name": "DeadLetter",
            "title": "DeadLetter",
            "summary": "A message as it came, with where it came from and why it could not be handled.",
            "contentType": "application/octet-stream",
            "headers": shape_schema(DeadLetterHeaders),
            "payload": {"description": "The value as it came: any bytes, or none."},
            "bindings": _keyed_by({"description": "The key as it came: any bytes, or none."}),
            "examples": [dead_letter_example(topics)],
        }
    }


def _cloud_event(
    model: type[BaseModel], name: str, headers: Schema, known: Schemas, example: Example | None
) -> dict[str, Any]:
    summary, _, description = (model.__doc__ or "").partition("\n")
    message = {
        "name": type_of(name),
        "title": name,
        "summary": summary,
        "description": " ".join(description.split()),
        "contentType": JSON,
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "headers": headers,
        "payload": known.references[model],
        "bindings": _keyed_by(KEY),
        "examples": [example] if example else [],
    }
    return {field: value for field, value in message.items() if value}


def _keyed_by(key: Schema) -> dict[str, Any]:
    return {"kafka": {"key": key, "bindingVersion": BINDING_VERSION}}


def _key(event: type[PublishedEvent]) -> str:
    """The name in the document: later versions of an event are listed beside the first."""
    return event.NAME if event.SCHEMA_VERSION == 1 else f"{event.NAME}.{event.SCHEMA_VERSION}"
