"""The JSON Schema of each Kafka message, self-contained, for other languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode

from domain.commands import COMMANDS
from domain.events import PUBLISHED_EVENTS
from services.messages.cloud_events import SCHEMA_PREFIX, type_of
from services.messages.replies import REPLIES
from services.messages.schemas import schema_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
WRITTEN_BY = "Written by `checkout schemas export`."
"""The `$comment` that marks a file as written by an export."""


@dataclass(frozen=True, slots=True)
class MessageSchema:
    """The schema of a message's value. `file` is its path in an export, `type` the message's `ce_type`."""

    file: str
    type: str
    schema: dict[str, Any]


def message_schemas() -> tuple[MessageSchema, ...]:
    """The schemas of all commands, of all versions of each event, and of the replies.

    Commands and replies have no versions: another shape is another message with its own name.
    """
    return (
        *(
            _message(f"commands/{name}", name, command, "validation")
            for name, command in COMMANDS.items()
        ),
        *(
            _message(
                f"events/{event.NAME}.{event.SCHEMA_VERSION}",
                event.NAME,
                event,
                "serialization",
                f":{event.SCHEMA_VERSION}",
            )
            for event in PUBLISHED_EVENTS.values()
        ),
        *(
            _message(f"replies/{reply.__name__}", reply.__name__, reply, "serialization")
            for reply in REPLIES
        ),
    )


def index_of(messages: tuple[MessageSchema, ...]) -> dict[str, Any]:
    """The index of an export: the file of each `ce_type` and `$id`, which is an event's `ce_dataschema`."""
    listed = [{"type": it.type, "id": it.schema["$id"], "file": it.file} for it in messages]
    return {"$comment": WRITTEN_BY, "schemas": listed}


def _message(
    path: str, name: str, model: type[BaseModel], mode: JsonSchemaMode, version: str = ""
) -> MessageSchema:
    schema = schema_of(model, mode)
    definitions = {"$defs": schema.pop("$defs")} if "$defs" in schema else {}
    head = {
        "$schema": DIALECT,
        "$id": f"{SCHEMA_PREFIX}{name}{version}",
        "$comment": WRITTEN_BY,
        "title": name,
    }
    # The title is the event's name in each version, whatever the class is called.
    schema["title"] = name
    return MessageSchema(f"{path}.json", type_of(name), head | schema | definitions)
