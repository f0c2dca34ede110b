"""The JSON of an event over HTTP as a class: a CloudEvent in structured mode."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, create_model

from domain.events import EVENTS
from domain.values import CheckoutId, SparseValue, Value
from services.kafka.producer_record import JSON, SOURCE

_ANY_EVENT: Any = reduce(operator.or_, EVENTS.values())


class _Attributes(SparseValue):
    specversion: Literal["1.0"]
    id: Annotated[str, Field(description="`<checkout id>:<version>`, the same on Kafka.")]
    source: Annotated[str, Field(json_schema_extra={"const": SOURCE})]
    type: Annotated[str, Field(description="`checkout.` and the name of the event.")]
    subject: Annotated[CheckoutId, Field(description="The checkout's id.")]
    time: Annotated[AwareDatetime, Field(description="Never goes back within a checkout.")]
    datacontenttype: Annotated[str, Field(json_schema_extra={"const": JSON})]
    dataschema: Annotated[str, Field(description="`urn:checkout:<event>:<version of its shape>`.")]
    sequence: Annotated[
        str,
        Field(pattern="^[0-9]{20}$", description="The version, counted from 1, padded with zeros."),
    ]
    correlationid: str
    causationid: Annotated[str, Field(description="The id of the command that led to it.")]
    causationsource: Annotated[str, Field(description="The source of that command.")]
    actor: Annotated[
        str, Field(description="Who asked: the API key's name, or the command's source.")
    ]
    traceparent: Annotated[str | None, Field(description="The command's trace context.")] = None


CloudEvent: Any = create_model(
    "CloudEvent",
    __base__=_Attributes,
    __doc__="What has happened to a checkout, as a CloudEvent in JSON.",
    data=(_ANY_EVENT, Field(description="What has happened, by the event's type.")),
)


class EventPage(Value):
    """Some of a checkout's events, oldest first."""

    data: tuple[CloudEvent, ...]
    has_more: Annotated[bool, Field(description="Whether there are events after these.")]
