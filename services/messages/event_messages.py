"""A recorded event as the CloudEvent that its consumers get, on Kafka and over HTTP."""

from __future__ import annotations

from typing import Any

import orjson

from domain.events import RecordedEvent
from services.kafka.producer_record import JSON, ProducerRecord, cloud_event, context_attributes
from services.messages.rfc3339 import format_rfc3339


def event_attributes(recorded: RecordedEvent) -> dict[str, str | None]:
    """The CloudEvents attributes of an event, besides those that all our messages have."""
    event, metadata = recorded.event, recorded.metadata
    return {
        "type": f"checkout.{event.NAME}",
        "id": f"{recorded.checkout_id}:{recorded.version}",
        "time": format_rfc3339(recorded.at),
        # Consumers compare sequences as text, so the version is padded.
        "sequence": f"{recorded.version:020d}",
        "correlationid": metadata.correlation_id,
        "causationid": metadata.command_id,
        "causationsource": metadata.command_source,
        "actor": metadata.actor,
        "dataschema": f"urn:checkout:{event.NAME}:{event.SCHEMA_VERSION}",
        "traceparent": metadata.traceparent,
    }


def event_message(topic: str, recorded: RecordedEvent) -> ProducerRecord:
    """The message of an event."""
    data = orjson.dumps(_data(recorded))
    return cloud_event(topic, recorded.checkout_id, event_attributes(recorded), data)


def structured_event(recorded: RecordedEvent) -> dict[str, Any]:
    """The JSON object of an event: what its message says, in the structured mode of CloudEvents."""
    attributes = context_attributes(recorded.checkout_id, event_attributes(recorded))
    return {**attributes, "datacontenttype": JSON, "data": _data(recorded)}


def _data(recorded: RecordedEvent) -> dict[str, Any]:
    return recorded.event.model_dump(mode="json")
