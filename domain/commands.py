"""What may be asked of a checkout. A command's JSON is the body of the HTTP call of that name."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, ValidationError

from domain.rejection import invalid
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


class Command(Value):
    """A wish in the imperative. `NAME` is its type on the wire, behind `checkout.`"""

    NAME: ClassVar[str]

    @classmethod
    def parse(cls, body: Any) -> Self:
        """Read a command from a parsed JSON body. Raises `Rejection`, naming the field at fault."""
        if not isinstance(body, dict):
            raise invalid("the body must be a JSON object", "$")
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            raise invalid(_sentence(first["msg"]), json_path(first["loc"])) from None


class CreateCheckout(Command):
    """Open a checkout with at least one item."""

    NAME: ClassVar[str] = "CreateCheckout"

    items: FirstItems
    buyer: Buyer | None = None
    fulfillment_address: Address | None = None
    fulfillment_option_id: Text | None = None


class UpdateCheckout(Command):
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


class CompleteCheckout(Command):
    """Pay what a checkout comes to, and make an order of it. `buyer`, if given, replaces the buyer."""

    NAME: ClassVar[str] = "CompleteCheckout"

    payment_data: PaymentData
    buyer: Buyer | None = None


class CancelCheckout(Command):
    """Close a checkout for good, with an optional reason (for machines) and message (for people)."""

    NAME: ClassVar[str] = "CancelCheckout"

    reason: Text | None = None
    message: Text | None = None


class RecordPayment(Command):
    """The provider's yes to a payment attempt. No door takes it: nobody may claim to have paid."""

    NAME: ClassVar[str] = "RecordPayment"

    attempt_id: Text
    payment_id: Text


class RecordDecline(Command):
    """The provider's no to a payment attempt. No door takes it."""

    NAME: ClassVar[str] = "RecordDecline"

    attempt_id: Text
    code: Text
    message: Text


COMMANDS: dict[str, type[Command]] = {
    command.NAME: command
    for command in (CreateCheckout, UpdateCheckout, CompleteCheckout, CancelCheckout)
}
"""What the doors take, by its name on the wire."""


def json_path(loc: tuple[int | str, ...]) -> str:
    """The JSONPath (RFC 9535) of a Pydantic error location, safe to encode whatever the names hold."""
    path = "$"
    for step in loc:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step.isascii() and step.isidentifier() and len(step) <= 100:
            path += f".{step}"
        else:
            path += f"[{step[:100]!a}]"
    return path


def _sentence(message: str) -> str:
    """Pydantic's message in the words of a JSON client."""
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    return _PYTHON_CLASS.sub("a JSON object", message)


_PYTHON_CLASS = re.compile(r"a valid dictionary or instance of \w+")
_WORDS = {
    "Value error, ": "",
    "Input should be": "must be",
    "Extra inputs are not permitted": "is not a known field",
    "Field required": "is required",
    "a valid tuple": "a JSON array",
    "Tuple should": "must",
    "Value should": "must",
    " after validation": "",
    "String should": "must",
    "String must": "must",
}
