"""A stored event as the CloudEvent that its consumers get, on Kafka and over HTTP.

Made of what is stored, not of what this build can parse: an event, a field or metadata of a later build
reaches consumers whole.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import reduce
from typing import Annotated, Any, Literal, cast

import orjson
from pydantic import Field

from domain.events import PUBLISHED_EVENTS, Metadata, RecordedEvent
from domain.values import Value
from services.event_store.event_mapper import EventContent, UnreadableEvent
from services.event_store.stored_row import StoredRow
from services.kafka.producer_record import ProducerRecord
from services.messages.cloud_events import (
    JSON,
    SCHEMA_PREFIX,
    SOURCE,
    EventAttributes,
    cloud_event,
    type_of,
)
from services.messages.rfc3339 import format_rfc3339

_AnyEvent: Any = reduce(operator.or_, PUBLISHED_EVENTS.values())


class CloudEvent(EventAttributes):
    """An event of a checkout, as a CloudEvent in JSON."""

    datacontenttype: Literal["application/json"]
    data: Annotated[_AnyEvent, Field(description="The data of the event, by its type.")]


class EventPage(Value):
    """Some of a checkout's events, oldest first."""

    data: list[CloudEvent]
    has_more: Annotated[bool, Field(description="Whether there are events after these.")]

    @classmethod
    def of(cls, events: Iterable[StoredRow | RecordedEvent], *, has_more: bool) -> EventPage:
        """A page to send. Raises `UnreadableEvent`."""
        return cls.model_construct(data=list(map(structured_event, events)), has_more=has_more)


def event_message(topic: str, event: StoredRow | RecordedEvent) -> ProducerRecord:
    """The Kafka message of an event. Raises `UnreadableEvent`."""
    content = _content(event)
    try:
        return cloud_event(topic, _attributes(event, content), orjson.dumps(content.data))
    except (KeyError, ValueError) as error:
        raise _unpublishable(event, error) from error


def structured_event(event: StoredRow | RecordedEvent) -> CloudEvent:
    """The same as one JSON object: the structured mode of CloudEvents."""
    content = _content(event)
    try:
        attributes = _attributes(event, content)
    except (KeyError, ValueError) as error:
        raise _unpublishable(event, error) from error
    return {**attributes, "datacontenttype": JSON, "data": content.data}


def _unpublishable(event: StoredRow | RecordedEvent, error: Exception) -> UnreadableEvent:
    where = f"{event.checkout_id} version {event.version}"
    return UnreadableEvent(f"{where}: {event.topic} can't be published: {error!r}")


def _content(event: StoredRow | RecordedEvent) -> EventContent:
    return event.content() if isinstance(event, StoredRow) else EventContent.of(event)


def _attributes(event: StoredRow | RecordedEvent, content: EventContent) -> EventAttributes:
    metadata = content.metadata
    attributes: EventAttributes = {
        "specversion": "1.0",
        "type": type_of(event.topic.partition(":")[0]),
        "source": SOURCE,
        "id": f"{event.checkout_id}:{event.version}",
        "subject": event.checkout_id,
        "time": format_rfc3339(content.at),
        # Consumers compare sequences as text, so the version is padded.
        "sequence": f"{event.version:020d}",
        "correlationid": metadata["correlation_id"],
        "causationid": metadata["command_id"],
        "causationsource": metadata["command_source"],
        "actor": metadata["actor"],
        "dataschema": f"{SCHEMA_PREFIX}{event.topic}",
    }
    if metadata.get("traceparent"):
        attributes["traceparent"] = metadata["traceparent"]
    known: dict[str, Any] = {**attributes}
    for name, value in metadata.items():
        if name not in _KNOWN and value is not None and (attribute := _attribute(name)):
            known.setdefault(attribute, _text(value))
    return cast("EventAttributes", known)


_KNOWN = frozenset(field.alias or name for name, field in Metadata.model_fields.items())


def _attribute(name: str) -> str:
    """The attribute for metadata of a later build: names of attributes have letters and digits only."""
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
