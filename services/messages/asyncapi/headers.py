"""The headers of each kind of message, as JSON Schemas: CloudEvents 1.0 in Kafka's binary mode."""

from __future__ import annotations

from typing import Any

from domain.commands import Command
from domain.events import Event
from domain.values import CHECKOUT_ID_PATTERN, MAX_TEXT
from services.kafka.producer_record import SOURCE
from services.kafka.topics import Topics

Schema = dict[str, Any]

TYPE_PREFIX = "checkout."
"""What is before the name of a command, event or reply in its `ce_type`."""

CHECKOUT_ID: Schema = {"type": "string", "pattern": CHECKOUT_ID_PATTERN}
KEY: Schema = {**CHECKOUT_ID, "description": "The checkout's id: what concerns it stays in order."}

_TEXT: Schema = {"type": "string", "minLength": 1}
_BOUNDED: Schema = {**_TEXT, "maxLength": MAX_TEXT}
_DIGITS: Schema = {"type": "string", "pattern": "^[0-9]+$"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_TRACEPARENT: Schema = {
    "type": "string",
    "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
    "description": "A W3C trace context, as it came with the command.",
}

_REASONS = {
    "undecodable_header_name": "the name of a header is not UTF-8",
    "batched_events": "it is a batch of CloudEvents, and no headers name one command",
    "malformed_structured_event": "it is no CloudEvent in JSON, though its content type says so",
    "missing_attributes": "id, source, type or subject is missing, so that nobody can be answered",
    "invalid_subject": "the subject can't be a checkout's id",
    "oversized_identity": "the id or source is over 50,000 bytes long, more than a reply can hold",
    "internal": "the service failed on it, by a fault of its own",
}


def command_headers(command: type[Command], topics: Topics) -> Schema:
    """What a publisher sends with a command. Other headers are passed over."""
    return _headers(
        {
            "ce_specversion": _only("1.0"),
            "ce_type": _only(f"{TYPE_PREFIX}{command.NAME}"),
            "ce_source": {**_BOUNDED, "description": "Who asks."},
            "ce_id": {
                **_BOUNDED,
                "description": "With `ce_source` it identifies the command, which never acts twice.",
            },
            "ce_subject": {**CHECKOUT_ID, "description": "The checkout's id, as in the key."},
        },
        {
            "content-type": {**_TEXT, "description": "`application/json`, which it is if absent."},
            "ce_expectedversion": {
                "type": "string",
                "pattern": "^[0-9]{1,18}$",
                "description": "Refuse unless the checkout is at this version.",
            },
            "ce_correlationid": {
                "type": "string",
                "maxLength": MAX_TEXT,
                "description": "Goes into the events and the reply; `ce_id` if absent.",
            },
            "traceparent": {
                "type": "string",
                "description": "A W3C trace context, carried on with events and reply.",
            },
            "reply-to": {
                "type": "string",
                "pattern": f"^{_literal(topics.replies)}(\\.[A-Za-z0-9._-]+)?$",
                "description": f"`{topics.replies}` or `{topics.replies}.<name>`. A topic that is "
                f"missing falls back to `{topics.replies}`.",
            },
        },
    )


def event_headers(event: type[Event]) -> Schema:
    """What goes out with an event."""
    return _headers(
        {
            "ce_specversion": _only("1.0"),
            "ce_type": _only(f"{TYPE_PREFIX}{event.NAME}"),
            "ce_source": _only(SOURCE),
            "ce_id": {
                "type": "string",
                "pattern": "^[A-Za-z0-9_-]{1,64}:[0-9]+$",
                "description": "`<checkout id>:<version>`; a repeated event has the same.",
            },
            "ce_subject": {**CHECKOUT_ID, "description": "The checkout's id."},
            "ce_time": {**_TIME, "description": "When it happened. Never goes back in a checkout."},
            "ce_sequence": {
                "type": "string",
                "pattern": "^[0-9]{20}$",
                "description": "The version of the checkout, counted from 1, padded with zeros.",
            },
            "ce_correlationid": {"type": "string", "description": "As it came with the command."},
            **_cause(),
            "ce_actor": {
                **_TEXT,
                "description": "Who asked: the API key's name, or the command's source.",
            },
            "ce_dataschema": _only(f"urn:checkout:{event.NAME}:{event.SCHEMA_VERSION}"),
            "content-type": _only("application/json"),
        },
        {"traceparent": _TRACEPARENT},
    )


def reply_headers(name: str) -> Schema:
    """What goes out with a reply."""
    return _headers(
        {
            "ce_specversion": _only("1.0"),
            "ce_type": _only(f"{TYPE_PREFIX}{name}"),
            "ce_source": _only(SOURCE),
            "ce_id": {
                **_TEXT,
                "description": "A digest of the value: a repeated reply's is the same.",
            },
            "ce_subject": {**CHECKOUT_ID, "description": "The checkout's id."},
            "ce_time": {**_TIME, "description": "When the reply was sent."},
            "ce_correlationid": {"type": "string", "description": "As it came with the command."},
            **_cause(),
            "content-type": _only("application/json"),
        },
        {"traceparent": _TRACEPARENT},
    )


def dead_letter_headers() -> Schema:
    """What goes out with a dead letter, behind the headers that the message came with."""
    return _headers(
        {
            "dl_reason": {
                "type": "string",
                "enum": [*_REASONS],
                "description": "; ".join(f"`{name}`: {why}" for name, why in _REASONS.items()),
            },
            "dl_topic": {**_TEXT, "description": "The topic that the message came from."},
            "dl_partition": {**_DIGITS, "description": "The partition there."},
            "dl_offset": {**_DIGITS, "description": "The offset there."},
            "dl_time": {**_TIME, "description": "When it was put aside."},
        },
        {
            "dl_checkout_version": {
                **_DIGITS,
                "description": "The version that its checkout was at, if it was a command that the "
                "service failed on; 0: there was no checkout.",
            },
            "dl_truncated": {**_only("true"), "description": "There if something was cut to fit."},
            "dl_value_sha256": {
                "type": "string",
                "pattern": "^[0-9a-f]{64}$",
                "description": "The digest of the whole value, if something was cut.",
            },
        },
    )


def _cause() -> dict[str, Schema]:
    return {
        "ce_causationid": {**_TEXT, "description": "The `ce_id` of the command."},
        "ce_causationsource": {**_TEXT, "description": "The `ce_source` of the command."},
    }


def _headers(required: dict[str, Schema], optional: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": {**required, **optional}, "required": [*required]}


def _only(value: str) -> Schema:
    return {"type": "string", "const": value}


def _literal(topic: str) -> str:
    """A topic's name in a pattern: of its legal characters the dot alone means something there."""
    return topic.replace(".", "\\.")
