"""Decodes a Kafka record into a command envelope.

A message with a readable id, source, type and valid subject gets a reply, whatever else is wrong
with it. Without them it becomes a dead letter.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord

from domain.commands import COMMANDS, CancelCheckout, Command
from domain.events import Channel
from domain.rejection import Rejection, RejectionCode, invalid
from domain.values import CHECKOUT_ID_PATTERN, MAX_TEXT
from services.command_consumer.received_cloud_event import (
    ReceivedCloudEvent,
    Unanswerable,
)
from services.command_handling import CommandEnvelope, fingerprint_of, valid_traceparent
from services.kafka.topics import Topics
from services.messages.cloud_events import JSON, TYPE_PREFIX, type_of
from services.messages.dead_letters import DeadLetterReason
from services.messages.strict_json import parse_json

MAX_BODY_BYTES = 1024 * 1024

_MAX_ANSWERABLE_BYTES = 50_000
"""The maximum size of an id or a source. A reply holds each up to three times, escaped, and must
fit a message.
"""

_CHECKOUT_ID = re.compile(CHECKOUT_ID_PATTERN)
_VERSION = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class DecodedCommand:
    """A command that can be answered, and the topic for its reply."""

    record: ConsumerRecord
    envelope: CommandEnvelope
    reply_to: str


@dataclass(frozen=True, slots=True)
class UnanswerableRecord:
    """A message that can't be answered."""

    record: ConsumerRecord
    reason: DeadLetterReason


def decode_command(record: ConsumerRecord, topics: Topics) -> DecodedCommand | UnanswerableRecord:
    """Decode a record."""
    try:
        return _Decoder(record, ReceivedCloudEvent.of(record), topics).decode()
    except Unanswerable as unreadable:
        return UnanswerableRecord(record, unreadable.reason)


@dataclass(frozen=True, slots=True)
class _Decoder:
    """One CloudEvent while it is decoded."""

    record: ConsumerRecord
    cloud_event: ReceivedCloudEvent
    topics: Topics

    def decode(self) -> DecodedCommand:
        """The decoded command. Raises `Unanswerable`."""
        command_id, source, command_type, subject = (
            self._required(name) for name in ("id", "source", "type", "subject")
        )
        if not _CHECKOUT_ID.fullmatch(subject):
            raise Unanswerable(DeadLetterReason.INVALID_SUBJECT)
        if max(len(command_id.encode()), len(source.encode())) > _MAX_ANSWERABLE_BYTES:
            raise Unanswerable(DeadLetterReason.OVERSIZED_IDENTITY)
        body, rejection = self._parsed_body(command_type)
        command: Command | Rejection
        try:
            _guard_identity(command_id, source)
            if self.cloud_event.rejection:
                raise self.cloud_event.rejection
            self._guard_attributes(subject)
            if rejection:
                raise rejection
            command = _command_class(command_type).parse(body)
        except Rejection as error:
            command = error
        envelope = CommandEnvelope(
            channel=Channel.KAFKA,
            source=source,
            command_id=command_id,
            checkout_id=subject,
            command=command,
            fingerprint=fingerprint_of(command_type, subject, body),
            actor=source,
            correlation_id=self._optional("correlationid") or command_id,
            traceparent=valid_traceparent(
                self.cloud_event.headers.get("traceparent") or self._optional("traceparent")
            ),
            expected_version=self._expected_version(),
            kind=_name_of(command_type),
        )
        return DecodedCommand(self.record, envelope, self._reply_to() or self.topics.replies)

    def _required(self, name: str) -> str:
        value = self.cloud_event.attributes.get(name)
        if not isinstance(value, str) or not value:
            raise Unanswerable(self.cloud_event.if_unanswerable)
        return value

    def _optional(self, name: str) -> str | None:
        value = self.cloud_event.attributes.get(name)
        return value if isinstance(value, str) and len(value) <= MAX_TEXT else None

    def _expected_version(self) -> int | None:
        given = self.cloud_event.attributes.get("expectedversion")
        return int(given) if given is not None and _VERSION.fullmatch(str(given)) else None

    def _reply_to(self) -> str | None:
        topic = self.cloud_event.headers.get("reply-to")
        return topic if topic and self.topics.may_reply_to(topic) else None

    def _parsed_body(self, command_type: str) -> tuple[Any, Rejection | None]:
        """The body as JSON values; or, with the reason why it can't be read, a digest that
        identifies it.
        """
        body = self.cloud_event.body
        if not isinstance(body, bytes):
            return body, None
        if not body and command_type == type_of(CancelCheckout.NAME):
            return {}, None
        unread = {"sha256": hashlib.sha256(body).hexdigest()}
        if len(body) > MAX_BODY_BYTES:
            return unread, Rejection(RejectionCode.TOO_LARGE, "the body is over 1 MiB", "$")
        if not body:
            return unread, invalid("a body is required", "$")
        try:
            return parse_json(body), None
        except Rejection as rejection:
            return unread, rejection

    def _guard_attributes(self, subject: str) -> None:
        """Check everything but the body. Raises `Rejection`."""
        attributes, content_type = self.cloud_event.attributes, self.cloud_event.content_type
        if attributes.get("specversion") != "1.0":
            raise invalid("specversion must be 1.0", "$.specversion")
        if self.record.key != subject.encode():
            raise invalid("the record's key must be the subject, the checkout's id", "$.subject")
        if "correlationid" in attributes and self._optional("correlationid") is None:
            raise invalid(
                f"correlationid must be text of at most {MAX_TEXT} characters", "$.correlationid"
            )
        if "expectedversion" in attributes and self._expected_version() is None:
            raise invalid("expectedversion must be a version: digits only", "$.expectedversion")
        if "reply-to" in self.cloud_event.headers and self._reply_to() is None:
            replies = self.topics.replies
            raise invalid(f"reply-to must be {replies} or {replies}.<name>", "$['reply-to']")
        if content_type and not _is_json(content_type):
            raise Rejection(
                RejectionCode.UNSUPPORTED_MEDIA_TYPE, "the data must be JSON", "$.datacontenttype"
            )


def _guard_identity(command_id: str, source: str) -> None:
    for name, value in (("id", command_id), ("source", source)):
        if len(value) > MAX_TEXT:
            raise invalid(f"{name} is over {MAX_TEXT} characters long", f"$.{name}")


def _name_of(command_type: str) -> str:
    """The name of a known command, else nothing: unknown names would fill the metrics."""
    name = command_type.removeprefix(TYPE_PREFIX)
    return name if name in COMMANDS and name != command_type else ""


def _command_class(command_type: str) -> type[Command]:
    known = COMMANDS.get(command_type.removeprefix(TYPE_PREFIX))
    if known is None or not command_type.startswith(TYPE_PREFIX):
        names = ", ".join(type_of(name) for name in COMMANDS)
        raise invalid(f"unknown command type; known are {names}", "$.type")
    return known


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip()
    return media_type == JSON or media_type.endswith("+json")
