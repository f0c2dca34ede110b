"""Checkouts in memory, each with its last event, against which the store checks the cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from domain.checkout import Checkout
from domain.events import RecordedEvent


class CachedCheckout(NamedTuple):
    """A checkout, and the last event that it was folded from."""

    checkout: Checkout
    last: RecordedEvent

    def still_holds(self, stream: Sequence[RecordedEvent]) -> bool:
        """Whether a stream, read from the last event on, still starts with that event.

        A store that was restored or failed over may have lost it.
        """
        return bool(stream) and stream[0] == self.last


class CheckoutCache:
    """An LRU cache, bounded by the number of lines, since a checkout has 1 to 200 of them."""

    def __init__(self, lines: int = 50_000) -> None:
        self._room = lines
        self._known: OrderedDict[str, CachedCheckout] = OrderedDict()

    def get(self, checkout_id: str) -> CachedCheckout | None:
        """The cached checkout, if there is one."""
        return self._known.get(checkout_id)

    def keep(self, known: CachedCheckout) -> None:
        """Cache a checkout, and evict the least recently used ones if it does not fit."""
        self.drop(known.checkout.id)
        self._known[known.checkout.id] = known
        self._room -= _size(known)
        while self._room < 0:
            self.drop(next(iter(self._known)))

    def drop(self, checkout_id: str) -> None:
        """Evict a checkout."""
        known = self._known.pop(checkout_id, None)
        if known:
            self._room += _size(known)

    def clear(self) -> None:
        """Evict all checkouts."""
        for checkout_id in list(self._known):
            self.drop(checkout_id)


def _size(known: CachedCheckout) -> int:
    return 1 + len(known.checkout.line_items)
