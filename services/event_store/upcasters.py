"""Reads events of older schema versions as the current one. To replace one, add an entry to `UPCASTERS`.

What is stored never changes: an event is published, and shown by the audit, as it was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.events import CheckoutPriced, CheckoutPricedV2

Data = dict[str, Any]


def _priced_2(data: Data) -> Data:
    """Version 1 leaves both to the fold, which works them out of the events before."""
    return {**data, "order_tax": None, "choice_ended": None}


UPCASTERS: Mapping[str, tuple[Callable[[Data], Data], str]] = {
    CheckoutPriced.topic(): (_priced_2, CheckoutPricedV2.topic()),
}
"""By topic: the function on the stored JSON data, and the topic that the result is of."""


def upcast(topic: str, data: Data) -> tuple[str, Data]:
    """An event's topic and data in the current version, through as many versions as lie between."""
    while found := UPCASTERS.get(topic):
        function, topic = found
        data = function(data)
    return topic, data
