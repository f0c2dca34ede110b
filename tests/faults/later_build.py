"""A later build with one more event type and one more optional field of an existing event."""

from __future__ import annotations

from tests.faults.builds import Patch

_EVENT = '''class GiftMessageSet(EventBase):
    """A message that comes with the goods."""

    NAME: ClassVar[str] = "GiftMessageSet"

    gift_message: Text


class BuyerUpdated(EventBase):'''

_EVENTS = (
    Patch("domain/events.py", "class BuyerUpdated(EventBase):", _EVENT),
    Patch("domain/events.py", "    | BuyerUpdated\n", "    | BuyerUpdated\n    | GiftMessageSet\n"),
    Patch(
        "domain/events.py",
        "    links: tuple[Link, ...]\n",
        "    links: tuple[Link, ...]\n    storefront: Text | None = None\n",
    ),
)
_COMMAND = Patch(
    "domain/commands.py",
    '    NAME: ClassVar[str] = "UpdateCheckout"\n',
    '    NAME: ClassVar[str] = "UpdateCheckout"\n\n    gift_message: Text | None = None\n',
)
_DECISION = (
    Patch(
        "domain/change.py",
        "    CheckoutPricedV2,\n",
        "    CheckoutPricedV2,\n    GiftMessageSet,\n",
    ),
    Patch(
        "domain/change.py",
        "    differences = _differences(before, facts)\n",
        "    differences = (*_differences(before, facts), *_gift(command))\n",
    ),
    Patch(
        "domain/change.py",
        "def _quote(\n",
        "def _gift(command):\n"
        "    text = command.gift_message\n"
        "    return (GiftMessageSet(gift_message=text),) if text else ()\n\n\n"
        "def _quote(\n",
    ),
    Patch(
        "domain/change.py",
        "links=book.links\n    )",
        'links=book.links,\n        storefront="web",\n    )',
    ),
)
_FOLD = (
    Patch(
        "domain/checkout.py",
        "    CheckoutPricedV2,\n",
        "    CheckoutPricedV2,\n    GiftMessageSet,\n",
    ),
    Patch(
        "domain/checkout.py",
        "    unknown_topic: str | None = None\n",
        "    unknown_topic: str | None = None\n    gift_message: str | None = None\n",
    ),
    Patch(
        "domain/checkout.py",
        "        case BuyerUpdated():\n",
        "        case GiftMessageSet():\n"
        "            return after(gift_message=event.gift_message)\n"
        "        case BuyerUpdated():\n",
    ),
)

LATER_BUILD = (*_EVENTS, _COMMAND, *_DECISION, *_FOLD)
"""`UpdateCheckout` takes a `gift_message`, recorded as `GiftMessageSet`; `CheckoutCreated` has `storefront`.

Neither is part of the checkout that GET shows: so both builds show the same content of a version.
"""
