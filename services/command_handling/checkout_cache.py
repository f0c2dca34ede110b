"""Checkouts kept in memory, each with its last event, so that the store can say if it is still that."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from domain.checkout import Checkout
from domain.events import RecordedEvent


class CachedCheckout(NamedTuple):
    """A checkout as it was, and the event that made it so."""

    checkout: Checkout
    last: RecordedEvent

    def still_holds(self, stream: Sequence[RecordedEvent]) -> bool:
        """Whether a stream, read from the last event on, has that very event.

        A store that was restored or failed over may have lost it.
        """
        return bool(stream) and stream[0] == self.last


class CheckoutCache:
    """The checkouts used last; bounded by their lines, since a checkout may have one or 200."""

    def __init__(self, lines: int = 50_000) -> None:
        self._room = lines
        self._known: OrderedDict[str, CachedCheckout] = OrderedDict()

    def get(self, checkout_id: str) -> CachedCheckout | None:
        """What is known of a checkout."""
        return self._known.get(checkout_id)

    def keep(self, known: CachedCheckout) -> None:
        """Remember a checkout, and forget the ones unused for longest if room is short."""
        self.drop(known.checkout.id)
        self._known[known.checkout.id] = known
        self._room -= _size(known)
        while self._room < 0:
            self.drop(next(iter(self._known)))

    def drop(self, checkout_id: str) -> None:
        """Forget a checkout."""
        known = self._known.pop(checkout_id, None)
        if known:
            self._room += _size(known)

    def clear(self) -> None:
        """Forget all."""
        for checkout_id in list(self._known):
            self.drop(checkout_id)


def _size(known: CachedCheckout) -> int:
    return 1 + len(known.checkout.line_items)
