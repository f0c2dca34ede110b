"""The store's lineage as a process knows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from domain.lineage import Lineage
from services.event_store.known import Known

Found = TypeVar("Found")


class KnownLineage(Known[Lineage]):
    """Remembers the lineage. A process that begins an epoch (`EventStore.begin_epoch`) must wait for
    `FRESH_SECONDS` before the first write is taken in it.
    """

    def within_one_epoch(self, read: Callable[[], Found]) -> tuple[Found, int]:
        """What was read from the store, and the epoch that it is from. Raises `StoreUnavailable`.

        The lineage is looked at before and after, so that the epoch is neither too old nor too new.
        """
        while True:
            before = self.fresh()
            found = read()
            if self.fresh() == before:
                return found, before.epoch
