"""From a Kafka record to a submission: CloudEvents 1.0, binary or structured, by unknown hands.

What can be told of a command decides what becomes of it: with id, source, type and a valid subject
it gets a reply, whatever else is wrong with it; without them it is a dead letter.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiokafka import ConsumerRecord

from domain.commands import COMMANDS, Command
from domain.refusals import RefusalCode, Refused, invalid
from domain.values import CHECKOUT_ID_PATTERN, MAX_TEXT
from services.handler import Submission, fingerprint_of, valid_traceparent
from services.kafka.consumer import UndecodableRecord
from services.kafka.topics import Topics
from services.strict_json import parse_json

DOOR = "kafka"
TYPE_PREFIX = "checkout."
MAX_BODY_BYTES = 1024 * 1024

_CHECKOUT_ID = re.compile(CHECKOUT_ID_PATTERN)
_VERSION = re.compile(r"[0-9]{1,18}")
_STRUCTURED = "application/cloudevents+json"
_BATCHED = "application/cloudevents-batch"


class DeadLetterReason(StrEnum):
    """Why a message was put aside."""

    UNDECODABLE_HEADER_NAME = "undecodable_header_name"
    BATCHED_EVENTS = "batched_events"
    MALFORMED_STRUCTURED_EVENT = "malformed_structured_event"
    MISSING_ATTRIBUTES = "missing_attributes"
    INVALID_SUBJECT = "invalid_subject"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A command that can be answered, and the topic that its reply was asked for on."""

    record: ConsumerRecord
    submission: Submission
    reply_to: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that can't even be answered."""

    record: ConsumerRecord
    reason: DeadLetterReason


class _NoCommand(Exception):
    def __init__(self, reason: DeadLetterReason) -> None:
        super().__init__(reason)
        self.reason = reason


def read(record: ConsumerRecord, topics: Topics) -> Incoming | Unreadable:
    """Read a record as a command."""
    try:
        return _Envelope.of(record).incoming(record, topics)
    except _NoCommand as unreadable:
        return Unreadable(record, unreadable.reason)


@dataclass(frozen=True, slots=True)
class _Envelope:
    """A CloudEvent in either mode. `body` is its data: bytes, or JSON that is parsed already."""

    attributes: Mapping[str, Any]
    headers: Mapping[str, str | None]
    content_type: str
    body: Any

    @classmethod
    def of(cls, record: ConsumerRecord) -> _Envelope:
        if isinstance(record, UndecodableRecord):
            raise _NoCommand(DeadLetterReason.UNDECODABLE_HEADER_NAME)
        headers = _headers(record)
        content_type = (headers.get("content-type") or "").lower()
        if content_type.startswith(_BATCHED):
            raise _NoCommand(DeadLetterReason.BATCHED_EVENTS)
        if content_type.startswith(_STRUCTURED):
            return cls._structured(record, headers)
        attributes = {
            name.removeprefix("ce_"): value
            for name, value in headers.items()
            if name.startswith("ce_")
        }
        return cls(attributes, headers, content_type, record.value or b"")

    @classmethod
    def _structured(cls, record: ConsumerRecord, headers: Mapping[str, str | None]) -> _Envelope:
        try:
            event = parse_json(record.value or b"")
        except Refused:
            raise _NoCommand(DeadLetterReason.MALFORMED_STRUCTURED_EVENT) from None
        if not isinstance(event, dict):
            raise _NoCommand(DeadLetterReason.MALFORMED_STRUCTURED_EVENT)
        body = event.pop("data", None)
        encoded = event.pop("data_base64", None)
        if encoded is not None:
            try:
                body = base64.b64decode(encoded, validate=True)
            except (binascii.Error, TypeError, ValueError):
                raise _NoCommand(DeadLetterReason.MALFORMED_STRUCTURED_EVENT) from None
        content_type = str(event.get("datacontenttype") or "")
        return cls(event, headers, content_type.lower(), b"" if body is None else body)

    def incoming(self, record: ConsumerRecord, topics: Topics) -> Incoming:
        command_id, source, command_type, subject = (
            self._required(name) for name in ("id", "source", "type", "subject")
        )
        if not _CHECKOUT_ID.fullmatch(subject):
            raise _NoCommand(DeadLetterReason.INVALID_SUBJECT)
        body, refusal = self._parsed_body(command_type)
        ask: Command | Refused
        try:
            self._guard_identity(command_id, source)
            self._guard_envelope(record, subject, topics)
            if refusal:
                raise refusal
            ask = _command_class(command_type).parse(body)
        except Refused as error:
            ask = error
        return Incoming(
            record,
            Submission(
                door=DOOR,
                source=source,
                command_id=command_id,
                checkout_id=subject,
                ask=ask,
                fingerprint=fingerprint_of(command_type, subject, body),
                actor=source,
                correlation_id=self._optional("correlationid") or command_id,
                traceparent=valid_traceparent(
                    self.headers.get("traceparent") or self._optional("traceparent")
                ),
                expected_version=self._expected_version(),
            ),
            self._reply_to(topics),
        )

    def _required(self, name: str) -> str:
        value = self.attributes.get(name)
        if not isinstance(value, str) or not value:
            raise _NoCommand(DeadLetterReason.MISSING_ATTRIBUTES)
        return value

    def _optional(self, name: str) -> str | None:
        value = self.attributes.get(name)
        return value if isinstance(value, str) and len(value) <= MAX_TEXT else None

    def _expected_version(self) -> int | None:
        given = self.attributes.get("expectedversion")
        return int(given) if given is not None and _VERSION.fullmatch(str(given)) else None

    def _reply_to(self, topics: Topics) -> str:
        asked = self.headers.get("reply-to")
        return asked if asked and topics.may_reply_to(asked) else topics.replies

    def _parsed_body(self, command_type: str) -> tuple[Any, Refused | None]:
        """The body as JSON values, or something to know it by again and why it is none."""
        if not isinstance(self.body, bytes):
            return self.body, None
        if not self.body and command_type == "checkout.CancelCheckout":
            return {}, None
        unread = {"sha256": hashlib.sha256(self.body).hexdigest()}
        if len(self.body) > MAX_BODY_BYTES:
            return unread, Refused(RefusalCode.TOO_LARGE, "the body is over 1 MiB", "$")
        if not self.body:
            return unread, invalid("a body is required", "$")
        try:
            return parse_json(self.body), None
        except Refused as refusal:
            return unread, refusal

    def _guard_identity(self, command_id: str, source: str) -> None:
        for name, value in (("id", command_id), ("source", source)):
            if len(value) > MAX_TEXT:
                raise invalid(f"{name} is over {MAX_TEXT} characters long", f"$.{name}")

    def _guard_envelope(self, record: ConsumerRecord, subject: str, topics: Topics) -> None:
        """What must hold of a command besides its body. Raises `Refused`."""
        if self.attributes.get("specversion") != "1.0":
            raise invalid("specversion must be 1.0", "$.specversion")
        if record.key != subject.encode():
            raise invalid("the record's key must be the subject, the checkout's id", "$.subject")
        if "correlationid" in self.attributes and self._optional("correlationid") is None:
            raise invalid(
                f"correlationid must be text of at most {MAX_TEXT} characters", "$.correlationid"
            )
        if "expectedversion" in self.attributes and self._expected_version() is None:
            raise invalid("expectedversion must be a version: digits only", "$.expectedversion")
        asked = self.headers.get("reply-to")
        if "reply-to" in self.headers and not (asked and topics.may_reply_to(asked)):
            raise invalid(
                f"reply-to must be {topics.replies} or {topics.replies}.<name>", "$['reply-to']"
            )
        if self.content_type and not _is_json(self.content_type):
            raise Refused(
                RefusalCode.UNSUPPORTED_MEDIA_TYPE, "the data must be JSON", "$.datacontenttype"
            )


def _command_class(command_type: str) -> type[Command]:
    known = COMMANDS.get(command_type.removeprefix(TYPE_PREFIX))
    if known is None or not command_type.startswith(TYPE_PREFIX):
        names = ", ".join(f"{TYPE_PREFIX}{name}" for name in COMMANDS)
        raise invalid(f"unknown command type; known are {names}", "$.type")
    return known


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip()
    return media_type == "application/json" or media_type.endswith("+json")


def _headers(record: ConsumerRecord) -> dict[str, str | None]:
    """Headers by lower-case name; None for a value that can't be told, or is told in two ways."""
    headers: dict[str, str | None] = {}
    for name, value in record.headers:
        text, lower = _text(value), name.lower()
        headers[lower] = text if headers.get(lower, text) == text else None
    return headers


def _text(value: bytes | None) -> str | None:
    """A header's value; None for one that is null or not UTF-8."""
    try:
        return value.decode("utf-8") if value is not None else None
    except UnicodeDecodeError:
        return None
