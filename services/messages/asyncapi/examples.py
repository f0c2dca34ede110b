"""An example of each message: the scenario's commands, events and replies as they are sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from domain.commands import CancelCheckout, ClientCommand, CreateCheckout, UpdateCheckout
from domain.events import PublishedEvent, UnknownEvent
from projections.registry import render_view
from services.kafka.producer_record import ProducerRecord
from services.kafka.topics import Topics
from services.messages.cloud_events import CommandAttributes, binary_headers, type_of
from services.messages.dead_letters import DeadLetterHeaders, DeadLetterReason
from services.messages.event_messages import event_message
from services.messages.replies import RepliedCommand, accepted, rejected
from services.messages.rfc3339 import format_rfc3339
from services.messages.scenario import (
    CHECKOUT_ID,
    PUBLISHER,
    ScenarioStep,
    older_versions,
    provoked_rejection,
    scenario,
)

Example = dict[str, Any]


def command_example(command: type[ClientCommand], topics: Topics) -> Example | None:
    """A command as a publisher sends it; None if the scenario has none of that class."""
    step = scenario().get(command.NAME)
    if step is None:
        return None
    attributes: CommandAttributes = {
        "specversion": "1.0",
        "type": type_of(command.NAME),
        "source": PUBLISHER,
        "id": step.command_id,
        "subject": CHECKOUT_ID,
        "correlationid": step.events[0].metadata.correlation_id,
    }
    if step.before:
        attributes["expectedversion"] = str(step.before.version)
    headers = {name: value.decode() for name, value in binary_headers(attributes)}
    headers["reply-to"] = topics.replies
    return {"name": command.NAME, "headers": headers, "payload": step.body}


def event_example(event: type[PublishedEvent], topics: Topics) -> Example | None:
    """The latest event of that name in the scenario, as it is sent in that version; None if there is none."""
    named = [
        recorded
        for step in scenario().values()
        for recorded in step.events
        if recorded.topic.partition(":")[0] == event.NAME
    ]
    # As what is not recorded any more: it is passed on as it was.
    past = [UnknownEvent(it.topic(), it.model_dump(mode="json")) for it in older_versions()]
    older = [replace(named[-1], event=it) for it in past if named]
    found = [recorded for recorded in (*older, *named) if recorded.topic == event.topic()]
    return _example(event.NAME, event_message(topics.events, found[-1])) if found else None


def accepted_example(topics: Topics) -> Example:
    """The reply to the scenario's first command."""
    first = scenario()[CreateCheckout.NAME]
    command = _replied(first, first.command_id)
    message = accepted(topics.replies, command, render_view(first.after), first.at)
    return _example("CommandAccepted", message)


def rejected_example(topics: Topics) -> Example:
    """The reply to a command that comes after the scenario's end."""
    last = scenario()[CancelCheckout.NAME]
    rejection = provoked_rejection(UpdateCheckout, after=CancelCheckout)
    message = rejected(topics.replies, _replied(last, "command-9"), rejection, last.at)
    return _example("CommandRejected", message)


def dead_letter_example(topics: Topics) -> Example:
    """A message that names neither its sender nor its checkout."""
    received = {"ce_specversion": "1.0", "ce_type": type_of(CancelCheckout.NAME)}
    added: DeadLetterHeaders = {
        "dl_reason": DeadLetterReason.MISSING_ATTRIBUTES.value,
        "dl_topic": topics.commands,
        "dl_partition": "7",
        "dl_offset": "1042",
        "dl_time": format_rfc3339(scenario()[CreateCheckout.NAME].at),
    }
    return {
        "name": "DeadLetter",
        "headers": {**received, **added},
        "payload": {"reason": "timeout"},
    }


def _replied(step: ScenarioStep, command_id: str) -> RepliedCommand:
    correlation_id = step.events[0].metadata.correlation_id
    return RepliedCommand(command_id, PUBLISHER, CHECKOUT_ID, correlation_id, None)


def _example(name: str, message: ProducerRecord) -> Example:
    return {
        "name": name,
        "headers": {header: value.decode() for header, value in message.headers},
        "payload": orjson.loads(message.value or b"null"),
    }
