"""The headers of each kind of message as JSON Schemas, from the shapes of what is sent."""

from __future__ import annotations

from typing import Any

from domain.commands import ClientCommand
from domain.events import PublishedEvent
from domain.values import CHECKOUT_ID_PATTERN
from services.kafka.topics import Topics
from services.messages.cloud_events import (
    JSON,
    SCHEMA_PREFIX,
    CommandAttributes,
    EventAttributes,
    ReplyAttributes,
    header_schema,
    type_of,
)

Schema = dict[str, Any]

KEY: Schema = {
    "type": "string",
    "pattern": CHECKOUT_ID_PATTERN,
    "description": "The checkout's id: messages about one checkout stay in order.",
}
_SENT_AS_JSON: Schema = {"content-type": {"type": "string", "const": JSON}}


def command_headers(command: type[ClientCommand], topics: Topics) -> Schema:
    """What a publisher sends with a command. Other headers are ignored."""
    replies = topics.replies
    # Of the characters of a topic's name, the dot alone has a meaning in a pattern.
    pattern = replies.replace(".", "\\.")
    more = {
        "content-type": {
            "type": "string",
            "minLength": 1,
            "description": "`application/json`, which it is if absent.",
        },
        "reply-to": {
            "type": "string",
            "pattern": f"^{pattern}(\\.[A-Za-z0-9._-]+)?$",
            "description": f"`{replies}` or `{replies}.<name>`. A topic that is missing falls back to "
            f"`{replies}`.",
        },
    }
    return header_schema(CommandAttributes, {"type": type_of(command.NAME)}, more)


def event_headers(event: type[PublishedEvent]) -> Schema:
    """What is sent with an event."""
    constants = {
        "type": type_of(event.NAME),
        "dataschema": f"{SCHEMA_PREFIX}{event.topic()}",
    }
    return _sent(header_schema(EventAttributes, constants, _SENT_AS_JSON))


def reply_headers(name: str) -> Schema:
    """What is sent with a reply."""
    constants = {"type": type_of(name)}
    return _sent(header_schema(ReplyAttributes, constants, _SENT_AS_JSON))


def _sent(schema: Schema) -> Schema:
    return schema | {"required": [*schema["required"], "content-type"]}
