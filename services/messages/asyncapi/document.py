"""The AsyncAPI 3.0 document: channels, operations and messages."""

from __future__ import annotations

from typing import Any

from services.kafka.topics import Topics
from services.messages.asyncapi.messages import (
    BINDING_VERSION,
    Messages,
    command_messages,
    dead_letter_messages,
    event_messages,
    reply_messages,
    schemas,
)
from services.messages.cloud_events import JSON

_DESCRIPTION = """\
Checkouts by Kafka: publish commands, follow events. Messages are CloudEvents 1.0 with JSON data. What
this service sends is in binary mode (`ce_…` headers); commands are taken in binary and in structured
mode (`content-type: application/cloudevents+json`). Amounts are integers in minor units (cents).
"""


def asyncapi_document(topics: Topics) -> dict[str, Any]:
    """The document, with the addresses of these topics."""
    known = schemas()
    commands = command_messages(topics, known)
    events = event_messages(topics, known)
    replies = reply_messages(topics, known)
    dead_letters = dead_letter_messages(topics)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Checkout", "version": "1", "description": _DESCRIPTION},
        "defaultContentType": JSON,
        "channels": {
            "commands": _channel(
                topics.commands,
                "Commands, from any publisher with write access. Each is carried out once, in the "
                "order of its checkout, and gets a reply. `ce_source` and `ce_id` identify a command: "
                "a repeat gets the first reply again; the same identity with another body, type or "
                "subject is rejected. The publisher of a CreateCheckout chooses the checkout's id. "
                "The value of a CancelCheckout may be empty.",
                commands,
            ),
            "events": _channel(
                topics.events,
                "Events, each with all the data that a consumer needs. The versions of a checkout "
                "arrive in order and without gaps; a repeat has the same `ce_id`. The topic is never "
                "compacted.",
                events,
            ),
            "replies": _channel(
                topics.replies,
                "A reply to each command with a readable id, source, type and subject. A command may "
                f"request its reply on `{topics.replies}.<name>` with `reply-to`.",
                replies,
            ),
            "dead-letters": _channel(
                topics.dead_letters,
                "Messages that could not be read as a command, and commands that failed because of a "
                "fault in the service. Protect this topic like the commands, whose data it holds.",
                dead_letters,
            ),
        },
        "operations": {
            "receiveCommand": _operation("receive", "commands", commands)
            | {
                "summary": "Carry out a command and reply.",
                "reply": _on("replies", replies),
            },
            "sendEvent": _operation("send", "events", events) | {"summary": "Publish an event."},
            "sendReply": _operation("send", "replies", replies)
            | {"summary": "Reply to a command."},
            "sendDeadLetter": _operation("send", "dead-letters", dead_letters)
            | {"summary": "Publish a dead letter."},
        },
        "components": {
            "schemas": known.definitions,
            "messages": commands | events | replies | dead_letters,
        },
    }


def _channel(address: str, description: str, messages: Messages) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": {"topic": address, "bindingVersion": BINDING_VERSION}},
    }


def _operation(action: str, channel: str, messages: Messages) -> dict[str, Any]:
    return {"action": action} | _on(channel, messages)


def _on(channel: str, messages: Messages) -> dict[str, Any]:
    return {
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }
