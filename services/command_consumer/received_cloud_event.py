"""The CloudEvent in a Kafka record, in binary or structured mode, from any publisher.

Decoding is lenient, so that as many publishers as possible get a reply that says what is wrong.
The `cloudevents` package does not decode here: it raises on an invalid event, and its attributes are lost.
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
from services.kafka.resilient_consumer import UndecodableRecord
from services.messages.dead_letters import DeadLetterReason
from services.messages.strict_json import parse_json

_STRUCTURED = "application/cloudevents+json"
_BATCHED = "application/cloudevents-batch"

Attributes = Mapping[str, Any]


class Unanswerable(Exception):
    """A message that no reply can be sent for."""

    def __init__(self, reason: DeadLetterReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ReceivedCloudEvent:
    """A CloudEvent in either mode. `body` is its data: bytes, or parsed JSON.

    `rejection` says why it is not a valid CloudEvent; its attributes are read all the same. If they
    are not enough for a reply, `if_unanswerable` is the reason of the dead letter.
    """

    attributes: Attributes
    headers: Mapping[str, str | None]
    content_type: str
    body: Any
    rejection: Rejection | None = None
    if_unanswerable: DeadLetterReason = DeadLetterReason.MISSING_ATTRIBUTES

    @property
    def is_structured(self) -> bool:
        """Whether the attributes are in the value and not in headers."""
        return (self.headers.get("content-type") or "").lower().startswith(_STRUCTURED)

    @classmethod
    def of(cls, record: ConsumerRecord) -> ReceivedCloudEvent:
        """Decode a record. Raises `Unanswerable`."""
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
        # The JSON format of CloudEvents allows null for an absent attribute.
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
    """The unambiguous text attributes of a JSON object that is not strict JSON."""
    try:
        event = json.loads(value.decode("utf-8", "replace"), object_pairs_hook=_contradicting)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict):
        return None
    return {name: text for name, text in event.items() if isinstance(text, str) and _is_utf8(text)}


def _contradicting(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a name with contradicting values gets None."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        found[name] = value if found.get(name, value) == value else None
    return found


def _is_utf8(text: str) -> bool:
    """Whether it has neither lone surrogates nor replacement characters."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\ufffd" not in text


def _headers(record: ConsumerRecord) -> dict[str, str | None]:
    """Headers by lower-case name; None for a value that is unreadable or contradicts itself."""
    headers: dict[str, str | None] = {}
    for name, value in record.headers:
        text, lower = _text(value), name.lower()
        headers[lower] = text if headers.get(lower, text) == text else None
    return headers


def _text(value: bytes | None) -> str | None:
    """A header's value; None if it is null or not UTF-8."""
    try:
        return value.decode("utf-8") if value is not None else None
    except UnicodeDecodeError:
        return None
