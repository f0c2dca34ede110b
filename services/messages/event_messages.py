"""A recorded event as the CloudEvent that its consumers get, on Kafka and over HTTP."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import reduce
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field

from domain.events import EVENTS, RecordedEvent
from domain.values import Value
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

_AnyEvent: Any = reduce(operator.or_, EVENTS.values())


class CloudEvent(EventAttributes):
    """An event of a checkout, as a CloudEvent in JSON."""

    datacontenttype: Literal["application/json"]
    data: Annotated[_AnyEvent, Field(description="The data of the event, by its type.")]


class EventPage(Value):
    """Some of a checkout's events, oldest first."""

    data: list[CloudEvent]
    has_more: Annotated[bool, Field(description="Whether there are events after these.")]

    @classmethod
    def of(cls, events: Iterable[RecordedEvent], *, has_more: bool) -> EventPage:
        """A page to send."""
        data = [structured_event(recorded) for recorded in events]
        return cls.model_construct(data=data, has_more=has_more)


def event_attributes(recorded: RecordedEvent) -> EventAttributes:
    """The CloudEvents attributes of an event."""
    event, metadata = recorded.event, recorded.metadata
    attributes: EventAttributes = {
        "specversion": "1.0",
        "type": type_of(event.NAME),
        "source": SOURCE,
        "id": f"{recorded.checkout_id}:{recorded.version}",
        "subject": recorded.checkout_id,
        "time": format_rfc3339(recorded.at),
        # Consumers compare sequences as text, so the version is padded.
        "sequence": f"{recorded.version:020d}",
        "correlationid": metadata.correlation_id,
        "causationid": metadata.command_id,
        "causationsource": metadata.command_source,
        "actor": metadata.actor,
        "dataschema": f"{SCHEMA_PREFIX}{event.topic()}",
    }
    if metadata.traceparent:
        attributes["traceparent"] = metadata.traceparent
    return attributes


def event_message(topic: str, recorded: RecordedEvent) -> ProducerRecord:
    """The Kafka message of an event."""
    return cloud_event(topic, event_attributes(recorded), orjson.dumps(_data(recorded)))


def structured_event(recorded: RecordedEvent) -> CloudEvent:
    """The same as one JSON object: the structured mode of CloudEvents."""
    return {**event_attributes(recorded), "datacontenttype": JSON, "data": _data(recorded)}


def _data(recorded: RecordedEvent) -> dict[str, Any]:
    return recorded.event.model_dump(mode="json")
