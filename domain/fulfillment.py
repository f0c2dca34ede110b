"""Which fulfillment option is selected, and what a checkout still lacks before it can be paid."""

from __future__ import annotations

from dataclasses import dataclass

from domain.checkout import find_option
from domain.rejection import invalid
from domain.values import Address, FulfillmentOption, LineItem, Message

MISSING = "missing"
"""The code of a message about something that a checkout still lacks."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected option, None when nothing is on offer, and notes about it for the buyer."""

    option: FulfillmentOption | None
    notes: tuple[Message, ...] = ()


def select_requested(options: tuple[FulfillmentOption, ...], choice: str | None) -> Selection:
    """The requested option, or the first offered one for None. Raises `Rejection` if not on offer."""
    if choice is None:
        return Selection(_first(options))
    option = find_option(options, choice)
    if option is None:
        offered = ", ".join(option.id for option in options) or "none; an address is needed first"
        raise invalid(
            f"option {choice!a} is not on offer (on offer: {offered})", "$.fulfillment_option_id"
        )
    return Selection(option)


def select(
    options: tuple[FulfillmentOption, ...],
    choice: str | None,
    offered_before: tuple[FulfillmentOption, ...],
) -> Selection:
    """The chosen option if it is still on offer, else the first offered one; a note says when that
    replaces a choice.
    """
    kept = find_option(options, choice)
    first = kept or _first(options)
    if choice is None or kept or first is None:
        return Selection(first)
    chosen = find_option(offered_before, choice)
    title = chosen.title if chosen else choice
    content = f"{title} is no longer on offer; {first.title} was selected instead"
    return Selection(first, (Message(type="info", content=content),))


def what_is_missing(
    lines: tuple[LineItem, ...], address: Address | None, option: FulfillmentOption | None
) -> tuple[Message, ...]:
    """An error message for each thing that a checkout needs before it can be paid."""
    missing = []
    if not lines:
        missing.append(_missing("items", "Add at least one item"))
    if address is None:
        missing.append(_missing("fulfillment_address", "Add a fulfillment address"))
    if option is None:
        content = (
            "Nothing is offered for this address; change it"
            if address
            else "Select a fulfillment option, once there is an address"
        )
        missing.append(_missing("fulfillment_option_id", content))
    return tuple(missing)


def _first(options: tuple[FulfillmentOption, ...]) -> FulfillmentOption | None:
    return options[0] if options else None


def _missing(field: str, content: str) -> Message:
    return Message(type="error", code=MISSING, param=f"$.{field}", content=content)
