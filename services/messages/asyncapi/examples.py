"""An example of each message: what the scenario's commands, events and replies look like on the wire."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from domain.commands import Command
from domain.events import Event
from domain.rejection import Rejection, RejectionCode
from projections.checkout_view import render
from services.kafka.producer_record import ProducerRecord, cloud_event
from services.kafka.topics import Topics
from services.messages.asyncapi.headers import TYPE_PREFIX
from services.messages.errors import flat_error
from services.messages.event_messages import event_message
from services.messages.rfc3339 import format_rfc3339
from services.messages.scenario import CHECKOUT_ID, PUBLISHER, ScenarioStep, scenario

Example = dict[str, Any]


def command_example(command: type[Command], topics: Topics) -> Example | None:
    """A command as a publisher sends it; None if the scenario has none of that class."""
    chapter = scenario().get(command.NAME)
    if chapter is None:
        return None
    headers = {
        "ce_specversion": "1.0",
        "ce_type": f"{TYPE_PREFIX}{command.NAME}",
        "ce_source": PUBLISHER,
        "ce_id": chapter.command_id,
        "ce_subject": CHECKOUT_ID,
        "ce_correlationid": chapter.events[0].metadata.correlation_id,
        "content-type": "application/json",
        "reply-to": topics.replies,
    }
    if chapter.before:
        headers["ce_expectedversion"] = str(chapter.before.version)
    return {"name": command.NAME, "headers": headers, "payload": chapter.body}


def event_example(event: type[Event], topics: Topics) -> Example | None:
    """The latest event of that class in the scenario, as it is sent; None if it has none."""
    found = [
        recorded
        for chapter in scenario().values()
        for recorded in chapter.events
        if type(recorded.event) is event
    ]
    return _example(event.NAME, event_message(topics.events, found[-1])) if found else None


def accepted_example(topics: Topics) -> Example:
    """The reply to the scenario's first command."""
    first = next(iter(scenario().values()))
    view = render(first.after)
    result = {"version": first.after.version, "checkout": view}
    return _reply("CommandAccepted", topics, first, first.command_id, result)


def rejected_example(topics: Topics) -> Example:
    """The reply to a command that comes after the scenario's end."""
    last = list(scenario().values())[-1]
    rejection = Rejection(RejectionCode.CHECKOUT_CLOSED, "the checkout is canceled for good")
    return _reply("CommandRejected", topics, last, "command-9", {"error": flat_error(rejection)})


def dead_letter_example(topics: Topics) -> Example:
    """A message that says neither who sends it nor which checkout it means."""
    headers = {
        "ce_specversion": "1.0",
        "ce_type": f"{TYPE_PREFIX}CancelCheckout",
        "dl_reason": "missing_attributes",
        "dl_topic": topics.commands,
        "dl_partition": "7",
        "dl_offset": "1042",
        "dl_time": format_rfc3339(next(iter(scenario().values())).at),
    }
    return {"name": "DeadLetter", "headers": headers, "payload": {"reason": "timeout"}}


def _reply(
    name: str, topics: Topics, chapter: ScenarioStep, command_id: str, result: dict[str, Any]
) -> Example:
    data = orjson.dumps(
        {
            "command_id": command_id,
            "command_source": PUBLISHER,
            "checkout_id": CHECKOUT_ID,
            **result,
        }
    )
    attributes = {
        "type": f"{TYPE_PREFIX}{name}",
        "id": hashlib.sha256(data).hexdigest()[:32],
        "time": format_rfc3339(chapter.at),
        "correlationid": chapter.events[0].metadata.correlation_id,
        "causationid": command_id,
        "causationsource": PUBLISHER,
    }
    return _example(name, cloud_event(topics.replies, CHECKOUT_ID, attributes, data))


def _example(name: str, message: ProducerRecord) -> Example:
    return {
        "name": name,
        "headers": {header: value.decode() for header, value in message.headers},
        "payload": orjson.loads(message.value or b"null"),
    }
