"""The commands of a checkout. A command's JSON is the body of the HTTP call of the same name."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import AfterValidator, Field, ValidationError

from domain.events import CheckoutCompleted, Event, PaymentDeclined, UnknownEvent
from domain.rejection import invalid
from domain.validation_errors import first_problem
from domain.values import MAX_LINES, Address, Buyer, Item, Text, Value


def _no_item_twice(items: tuple[Item, ...]) -> tuple[Item, ...]:
    twice = [item_id for item_id, times in Counter(item.id for item in items).items() if times > 1]
    if twice:
        raise ValueError(f"item {twice[0]!a} is listed more than once; add up its quantity instead")
    return items


_UNIQUE = {"uniqueItems": True, "description": "Each item once, with its whole quantity."}
Items = Annotated[
    tuple[Item, ...],
    Field(max_length=MAX_LINES, json_schema_extra=_UNIQUE),
    AfterValidator(_no_item_twice),
]
FirstItems = Annotated[
    tuple[Item, ...],
    Field(min_length=1, max_length=MAX_LINES, json_schema_extra=_UNIQUE),
    AfterValidator(_no_item_twice),
]


class CommandBase(Value):
    """A request in the imperative. On Kafka its type is `NAME` after the prefix `checkout.`"""

    NAME: ClassVar[str]

    @classmethod
    def parse(cls, body: Any) -> Self:
        """Validate a decoded JSON body. Raises `Rejection` that names the first invalid field."""
        if not isinstance(body, dict):
            raise invalid("the body must be a JSON object", "$")
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise invalid(*first_problem(error)) from None

    def led_to(self, event: Event | UnknownEvent) -> bool:  # noqa: ARG002 - for the commands that override it
        """Whether an event that names this command's identity was recorded for this command."""
        return True


class CreateCheckout(CommandBase):
    """Open a checkout with at least one item."""

    NAME: ClassVar[str] = "CreateCheckout"

    items: FirstItems
    buyer: Buyer | None = None
    fulfillment_address: Address | None = None
    fulfillment_option_id: Text | None = None


class UpdateCheckout(CommandBase):
    """Change what is given and leave the rest.

    An absent field stays, an object or list replaces the whole, and `null` clears: the buyer, the
    address, or the choice of a fulfillment option (back to the merchant's first offer).
    """

    NAME: ClassVar[str] = "UpdateCheckout"

    items: Items = ()
    buyer: Buyer | None = None
    fulfillment_address: Address | None = None
    fulfillment_option_id: Text | None = None


class PaymentData(Value):
    """How the buyer pays. `token` stands for their means of payment; card data is never taken."""

    token: Annotated[Text, Field(repr=False)]
    provider: Text
    billing_address: Address | None = None


class CompleteCheckout(CommandBase):
    """Pay what a checkout comes to, and make an order of it. `buyer`, if given, replaces the buyer."""

    NAME: ClassVar[str] = "CompleteCheckout"

    payment_data: PaymentData
    buyer: Buyer | None = None


class CancelCheckout(CommandBase):
    """Close a checkout for good, with an optional reason (for machines) and message (for people)."""

    NAME: ClassVar[str] = "CancelCheckout"

    reason: Text | None = None
    message: Text | None = None


class RecordPayment(CommandBase):
    """The provider took the payment of an attempt. Internal, so that no client can claim to have paid.

    Its events name the complete that started the attempt, as those of `RecordDecline` do.
    """

    NAME: ClassVar[str] = "RecordPayment"

    attempt_id: Text
    payment_id: Text

    def led_to(self, event: Event | UnknownEvent) -> bool:
        """Whether the event records this payment."""
        return isinstance(event, CheckoutCompleted) and event.payment.id == self.payment_id


class RecordDecline(CommandBase):
    """The provider declined a payment attempt. Internal, as `RecordPayment` is."""

    NAME: ClassVar[str] = "RecordDecline"

    attempt_id: Text
    code: Text
    message: Text

    def led_to(self, event: Event | UnknownEvent) -> bool:
        """Whether the event records the decline of this attempt."""
        return isinstance(event, PaymentDeclined) and event.attempt_id == self.attempt_id


ClientCommand = CreateCheckout | UpdateCheckout | CompleteCheckout | CancelCheckout
"""The commands that clients and publishers may send."""

PaymentOutcome = RecordPayment | RecordDecline
"""The commands that report how a payment attempt ended; only the internal channel takes them."""

Command = ClientCommand | PaymentOutcome
"""Every command. Closed, so that the type checker finds each `match` that lacks a new one."""

COMMANDS: dict[str, type[ClientCommand]] = {
    command.NAME: command for command in get_args(ClientCommand)
}
"""The commands that clients and publishers may send, by name."""
