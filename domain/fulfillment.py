"""Which fulfillment option is selected, and what a checkout still lacks to be paid."""

from __future__ import annotations

from dataclasses import dataclass

from domain.checkout import Checkout, find_option
from domain.rejection import invalid
from domain.values import Address, FulfillmentOption, LineItem, Message

MISSING = "missing"
"""The code of a message that tells what a checkout still lacks to be paid."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected option, None when nothing is on offer, and what the buyer should know of it."""

    option: FulfillmentOption | None
    notes: tuple[Message, ...] = ()


def select_asked(options: tuple[FulfillmentOption, ...], choice: str | None) -> Selection:
    """The option asked for, or the first offered one for None. Raises `Rejection` if not on offer."""
    if choice is None:
        return Selection(_first(options))
    option = find_option(options, choice)
    if option is None:
        offered = ", ".join(option.id for option in options) or "none; an address is needed first"
        raise invalid(
            f"option {choice!a} is not on offer (on offer: {offered})", "$.fulfillment_option_id"
        )
    return Selection(option)


def select(options: tuple[FulfillmentOption, ...], checkout: Checkout) -> Selection:
    """The chosen option if it is still on offer, else the first offered one, with a note if it
    replaces a choice."""
    kept = find_option(options, checkout.choice)
    first = kept or _first(options)
    if checkout.choice is None or kept or first is None:
        return Selection(first)
    chosen = find_option(checkout.fulfillment_options, checkout.choice)
    title = chosen.title if chosen else checkout.choice
    content = f"{title} is no longer on offer; {first.title} was selected instead"
    return Selection(first, (Message(type="info", content=content),))


def what_is_missing(
    lines: tuple[LineItem, ...], address: Address | None, option: FulfillmentOption | None
) -> tuple[Message, ...]:
    """An error message for each thing without which a checkout can't be paid."""
    missing = []
    if not lines:
        missing.append(_missing("items", "Add at least one item"))
    if address is None:
        missing.append(_missing("fulfillment_address", "Add a fulfillment address"))
    if option is None:
        content = (
            "Nothing is offered for this address; change it"
            if address
            else ("Select a fulfillment option, once there is an address")
        )
        missing.append(_missing("fulfillment_option_id", content))
    return tuple(missing)


def _first(options: tuple[FulfillmentOption, ...]) -> FulfillmentOption | None:
    return options[0] if options else None


def _missing(field: str, content: str) -> Message:
    return Message(type="error", code=MISSING, param=f"$.{field}", content=content)
