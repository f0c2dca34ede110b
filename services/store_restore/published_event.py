"""An event as it was stored, made again from its record on Kafka."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson
from aiokafka import ConsumerRecord
from eventsourcing.persistence import StoredEvent

from domain.events import Channel, CheckoutCompleted, PaymentDeclined
from services.kafka.topic_copy import identity_of
from services.messages.cloud_events import SCHEMA_PREFIX, EventAttributes, header_of
from services.messages.rfc3339 import parse_rfc3339


class NotAnEvent(ValueError):
    """A record that can't be turned into an event. The message says what is wrong with it."""


def stored_event_of(record: ConsumerRecord) -> tuple[datetime, StoredEvent]:
    """The stored event that was published as this record, and when it happened. Raises `NotAnEvent`.

    Its data is taken as it is, so that events of a later build are imported too.
    """
    identity = identity_of(record)
    if identity is None:
        raise NotAnEvent("it is no event of a checkout")
    try:
        headers = {name: value.decode() for name, value in record.headers if value is not None}
        data = orjson.loads(record.value or b"")
    except (UnicodeDecodeError, orjson.JSONDecodeError) as error:
        raise NotAnEvent(f"it can't be read: {error}") from error
    schema, at = headers.get("ce_dataschema", ""), parse_rfc3339(headers.get("ce_time", ""))
    if not schema.startswith(SCHEMA_PREFIX) or at is None or not isinstance(data, dict):
        raise NotAnEvent("its ce_dataschema, ce_time or value is not that of an event")
    topic = schema.removeprefix(SCHEMA_PREFIX)
    state = {"at": at, "data": data, "meta": _metadata(headers, topic, data)}
    checkout_id, version = identity
    return at, StoredEvent(
        originator_id=checkout_id,
        originator_version=version,
        topic=topic,
        state=orjson.dumps(state),
    )


def _metadata(headers: Mapping[str, str], topic: str, data: Mapping[str, Any]) -> dict[str, str]:
    try:
        metadata = {
            "door": headers.get("ce_channel") or _channel(headers, topic, data),
            "actor": headers["ce_actor"],
            "command_source": headers["ce_causationsource"],
            "command_id": headers["ce_causationid"],
            "correlation_id": headers["ce_correlationid"],
        }
    except KeyError as error:
        raise NotAnEvent(f"it has no header {error.args[0]}") from error
    # What a later build records beside these is an attribute of the same name.
    metadata |= {name: text for name, text in _others(headers) if name not in metadata}
    if "traceparent" in headers:
        metadata["traceparent"] = headers["traceparent"]
    return metadata


def _others(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    attributes = {header_of(name) for name in EventAttributes.__annotations__} | {"ce_channel"}
    for header, text in headers.items():
        if header.startswith("ce_") and header not in attributes:
            yield header.removeprefix("ce_"), text


def _channel(headers: Mapping[str, str], topic: str, data: Mapping[str, Any]) -> Channel:
    """The channel of a record from before `ce_channel` existed.

    Over Kafka the actor is the command's source, over HTTP the name of an API key. A payment's end comes
    from a payment worker; an order without a charge has the attempt's id as its payment's.
    """
    name = topic.partition(":")[0]
    payment = data.get("payment")
    is_free = isinstance(payment, dict) and str(payment.get("id", "")).startswith("attempt_")
    if name == PaymentDeclined.NAME or (name == CheckoutCompleted.NAME and not is_free):
        return Channel.INTERNAL
    return Channel.KAFKA if headers["ce_actor"] == headers["ce_causationsource"] else Channel.HTTP
