"""The CloudEvent in a Kafka record, binary or structured, by unknown hands.

It is read as far as it goes: whoever can be told what is wrong with his command should be.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord

from domain.rejection import Rejection, RejectionCode, invalid
from services.kafka.consumer import UndecodableRecord
from services.messages.dead_letters import DeadLetterReason
from services.messages.strict_json import parse_json

_STRUCTURED = "application/cloudevents+json"
_BATCHED = "application/cloudevents-batch"

Attributes = Mapping[str, Any]


class Unanswerable(Exception):
    """A message that nobody can be answered for."""

    def __init__(self, reason: DeadLetterReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ReceivedCloudEvent:
    """A CloudEvent in either mode. `body` is its data: bytes, or JSON that is parsed already.

    `rejection` is why it is no good CloudEvent; what its attributes say is then known all the same,
    or if they say too little, `if_unanswerable` is why it is a dead letter.
    """

    attributes: Attributes
    headers: Mapping[str, str | None]
    content_type: str
    body: Any
    rejection: Rejection | None = None
    if_unanswerable: DeadLetterReason = DeadLetterReason.MISSING_ATTRIBUTES

    @property
    def is_structured(self) -> bool:
        """Whether the attributes are in the value, and not in headers."""
        return (self.headers.get("content-type") or "").lower().startswith(_STRUCTURED)

    @classmethod
    def of(cls, record: ConsumerRecord) -> ReceivedCloudEvent:
        """Read a record. Raises `Unanswerable`."""
        if isinstance(record, UndecodableRecord):
            raise Unanswerable(DeadLetterReason.UNDECODABLE_HEADER_NAME)
        headers = _headers(record)
        value = record.value or b""
        content_type = (headers.get("content-type") or "").lower()
        if content_type.startswith(_STRUCTURED):
            return cls._structured(value, headers)
        attributes = {
            name.removeprefix("ce_"): text
            for name, text in headers.items()
            if name.startswith("ce_")
        }
        if content_type.startswith(_BATCHED):
            rejection = Rejection(
                RejectionCode.UNSUPPORTED_MEDIA_TYPE,
                "send commands one by one",
                "$.datacontenttype",
            )
            unanswerable = DeadLetterReason.BATCHED_EVENTS
            return cls(attributes, headers, content_type, value, rejection, unanswerable)
        return cls(attributes, headers, content_type, value)

    @classmethod
    def _structured(cls, value: bytes, headers: Mapping[str, str | None]) -> ReceivedCloudEvent:
        unanswerable = DeadLetterReason.MALFORMED_STRUCTURED_EVENT
        try:
            event, rejection = parse_json(value), None
        except Rejection as error:
            event, rejection = _lenient(value), error
        if not isinstance(event, dict):
            raise Unanswerable(unanswerable)
        # The JSON format of CloudEvents takes null for an attribute that is not there.
        attributes = {name: content for name, content in event.items() if content is not None}
        content_type = str(attributes.get("datacontenttype") or "").lower()
        try:
            body = value if rejection else _data(attributes)
        except Rejection as error:
            body, rejection = value, error
        return cls(attributes, headers, content_type, body, rejection, unanswerable)


def _data(event: Mapping[str, Any]) -> Any:
    """The data of a structured event, as JSON or bytes. Raises `Rejection`."""
    encoded = event.get("data_base64")
    if encoded is None:
        return event.get("data", b"")
    if "data" in event:
        raise invalid("data and data_base64 exclude each other", "$.data_base64")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise invalid("data_base64 is not base64", "$.data_base64") from None


def _lenient(value: bytes) -> Any:
    """What can be told of a JSON object that is not strict: its text attributes, told once."""
    try:
        event = json.loads(value.decode("utf-8", "replace"), object_pairs_hook=_contradicting)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict):
        return None
    return {name: text for name, text in event.items() if isinstance(text, str) and _is_utf8(text)}


def _contradicting(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """An object; None for what it says in two ways."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        found[name] = value if found.get(name, value) == value else None
    return found


def _is_utf8(text: str) -> bool:
    """Whether it has no half of a character, nor a byte that could not be read."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\ufffd" not in text


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
