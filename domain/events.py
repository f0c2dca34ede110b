"""The events of a checkout: facts in the past tense, each with a stable name and schema version.

The event store and consumers identify an event by its topic (`<name>:<schema version>`), never by its
Python path: a class may move or be renamed, but a topic that was ever written may not. When a shape
changes, add a class with the next schema version to the union `Event`. The old one stays in the union, or an
upcaster (`services.event_store.upcasters`) reads it as the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, get_args

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from domain.checkout_view import CheckoutView
from domain.values import (
    Address,
    Amount,
    Buyer,
    FulfillmentOption,
    LineItem,
    Link,
    Message,
    Payment,
    PaymentProvider,
    SparseValue,
    Status,
    Text,
    Total,
    Value,
)


class EventBase(Value):
    """A fact. Carries everything that happened as data, so that a consumer needs no other source."""

    NAME: ClassVar[str]
    SCHEMA_VERSION: ClassVar[int] = 1

    @classmethod
    def topic(cls) -> str:
        """The name under which the event store keeps the event, such as `ItemsUpdated:1`."""
        return f"{cls.NAME}:{cls.SCHEMA_VERSION}"


class CheckoutCreated(EventBase):
    """A checkout was opened, with what the merchant book said of it."""

    NAME: ClassVar[str] = "CheckoutCreated"

    currency: Text
    payment_provider: PaymentProvider
    links: tuple[Link, ...]


class ItemsUpdated(EventBase):
    """The lines as they are now, priced; also recorded when a new address changes their tax."""

    NAME: ClassVar[str] = "ItemsUpdated"

    line_items: tuple[LineItem, ...]


class BuyerUpdated(EventBase):
    """The buyer as they are now; null when cleared."""

    NAME: ClassVar[str] = "BuyerUpdated"

    buyer: Buyer | None


class FulfillmentAddressUpdated(EventBase):
    """The address as it is now; null when cleared."""

    NAME: ClassVar[str] = "FulfillmentAddressUpdated"

    fulfillment_address: Address | None


class FulfillmentOptionSelected(EventBase):
    """An option was asked for; null when the choice went back to the merchant's first offer."""

    NAME: ClassVar[str] = "FulfillmentOptionSelected"

    fulfillment_option_id: Text | None


class CheckoutPriced(EventBase):
    """What is on offer, what is selected, what it comes to and whether it can be paid."""

    NAME: ClassVar[str] = "CheckoutPriced"

    fulfillment_options: tuple[FulfillmentOption, ...]
    fulfillment_option_id: Text | None
    totals: tuple[Total, ...]
    status: Status
    messages: tuple[Message, ...]


class CheckoutPricedV2(CheckoutPriced):
    """What is on offer, what is selected, what it comes to and whether it can be paid.

    Version 2 also has the flat tax of the order, and whether another option replaced the one that was asked
    for. Both are None only where version 1 was read, which does not have them.
    """

    SCHEMA_VERSION: ClassVar[int] = 2

    order_tax: Annotated[
        Amount | SkipJsonSchema[None],
        Field(description="The flat tax of the order, which is part of the total's tax."),
    ]
    choice_ended: Annotated[
        bool | SkipJsonSchema[None],
        Field(
            description="Whether the option that was asked for ended here, and another is selected."
        ),
    ]


class CheckoutCanceled(EventBase):
    """The checkout was closed without an order."""

    NAME: ClassVar[str] = "CheckoutCanceled"

    reason: Text | None
    message: Text | None


class PaymentStarted(EventBase):
    """A payment attempt began; until it ends, the checkout takes no command.

    `amount`, in minor units, is the total at the version before. The attempt's id is what the provider
    knows it by.
    """

    NAME: ClassVar[str] = "PaymentStarted"

    attempt_id: Text
    amount: Amount
    currency: Text
    provider: Text


class PaymentStartedV2(PaymentStarted):
    """A payment attempt began; until it ends, the checkout takes no command.

    The attempt's id is made of the store's `lineage`, the checkout's id and the version that is paid for;
    in version 1 it was derived from the command. The rest is as there.
    """

    SCHEMA_VERSION: ClassVar[int] = 2

    lineage: Text


class PaymentDeclined(EventBase):
    """The attempt failed and nothing was charged: the checkout can be paid in another way."""

    NAME: ClassVar[str] = "PaymentDeclined"

    attempt_id: Text
    code: Text
    message: Text


class CheckoutCompleted(EventBase):
    """The checkout became an order. `checkout` shows it as a whole, as a reader sees it from now on."""

    NAME: ClassVar[str] = "CheckoutCompleted"

    order_id: Text
    payment: Payment
    checkout: CheckoutView


Event = (
    CheckoutCreated
    | ItemsUpdated
    | BuyerUpdated
    | FulfillmentAddressUpdated
    | FulfillmentOptionSelected
    | CheckoutPricedV2
    | CheckoutCanceled
    | PaymentStarted
    | PaymentStartedV2
    | PaymentDeclined
    | CheckoutCompleted
)
"""Every event. Closed, so that the type checker finds each `match` that lacks a new one."""

EVENTS: dict[str, type[Event]] = {event.topic(): event for event in get_args(Event)}
"""The events by topic, as this build reads and records them."""

PublishedEvent = Event | CheckoutPriced
"""Those, and the versions that are read as a later one but remain in streams and on Kafka."""

PUBLISHED_EVENTS: dict[str, type[PublishedEvent]] = {
    event.topic(): event for event in get_args(PublishedEvent)
}
"""The events by topic, as consumers get them."""


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event of a later build. This build can pass it on, but does not know what it means."""

    known_as: str
    data: dict[str, Any]

    def topic(self) -> str:
        """The topic under which it is stored."""
        return self.known_as


class Channel(StrEnum):
    """How a command reached the handler. Stored with each event and in the key of each outcome."""

    KAFKA = "kafka"
    HTTP = "http"
    INTERNAL = "internal"
    """Reserved for payment workers: no publisher and no client can use it."""


class Metadata(SparseValue):
    """Who caused an event, and with which command.

    `command_source` and `command_id` identify the command on its channel; the event that ends a payment
    names the command that started it. `actor` is the API key's name or the command's source. Stored
    events call the channel `door`; one of a later build is a plain string. The name of a new field has
    lower-case letters and digits only: then older builds publish it, and `checkout store restored` imports
    it, under that name.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    channel: Annotated[Channel | str, Field(alias="door", union_mode="left_to_right")]
    actor: str
    command_source: str
    command_id: str
    correlation_id: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event in its checkout's stream. Versions count from 1; `at` never decreases in a stream."""

    checkout_id: str
    version: int
    at: datetime
    event: Event | UnknownEvent
    metadata: Metadata

    @property
    def topic(self) -> str:
        """The name and schema version of the event, such as `ItemsUpdated:1`."""
        return self.event.topic()

    @property
    def originator_id(self) -> str:
        """The stream's id, under the name that the eventsourcing library expects."""
        return self.checkout_id

    @property
    def originator_version(self) -> int:
        """The version in the stream, under the name that the eventsourcing library expects."""
        return self.version


def record(
    checkout_id: str, version: int, at: datetime, events: tuple[Event, ...], metadata: Metadata
) -> tuple[RecordedEvent, ...]:
    """Append decided events to a stream whose last version is `version` (0 for an empty stream)."""
    return tuple(
        RecordedEvent(checkout_id, version + step, at, event, metadata)
        for step, event in enumerate(events, start=1)
    )
