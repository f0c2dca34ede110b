"""The names of all keys in Redis."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from domain.lineage import Lineage

INDEX_COUNTS = "index_counts"
"""The name, after `Keys.base`, of the hash of how many entries each index has."""

_LINEAGE_DIGITS = 12
"""Of a lineage's 32 random digits: enough to keep the few stores apart that share a Redis and a prefix."""


class Source(Protocol):
    """The history that the views are made from."""

    @property
    def value(self) -> Lineage:
        """The last known lineage, without waiting."""

    async def latest(self) -> Lineage:
        """The lineage as it was within the last second, or the last known one if the store is down."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the views that were made from one epoch of one store.

    All begin with the topic prefix, the store and its epoch. So views of two systems on one Redis never
    mix, and no view of an earlier epoch is read or takes the place of a later one.
    """

    topic_prefix: str
    lineage: Lineage

    @property
    def base(self) -> str:
        """How each key begins."""
        return f"{self._of_store}{self.lineage.epoch}:"

    @property
    def built_under(self) -> str:
        """Names the server process under which the records are complete, and their revisions."""
        return f"{self.base}built_under"

    @property
    def positions(self) -> str:
        """The projector's position in each partition."""
        return f"{self.base}positions"

    @property
    def index_counts(self) -> str:
        """How many entries each index has, and the rebuild since which they are counted."""
        return f"{self.base}{INDEX_COUNTS}"

    @property
    def projected(self) -> str:
        """The store's position up to which all events are in the records."""
        return f"{self.base}projected"

    @property
    def lost(self) -> str:
        """The checkouts that are listed and lack a record."""
        return f"{self.base}lost"

    @property
    def probe(self) -> str:
        """Written to find out whether Redis takes writes."""
        return f"{self.base}probe"

    def lock(self, name: str) -> str:
        """A lock."""
        return f"{self.base}lock:{name}"

    def record(self, projection: str, checkout_id: str = "") -> str:
        """A checkout's record, or the beginning of the keys of all records of a projection."""
        return f"{self.base}{record_name(projection, checkout_id)}"

    def index(self, name: str) -> str:
        """An index that records name as `name`."""
        return f"{self.base}{name}"

    def of_epoch(self, epoch: int) -> Keys:
        """The keys of another epoch of the store."""
        return Keys(self.topic_prefix, Lineage(self.lineage.lineage, epoch))

    @property
    def of_all_epochs(self) -> str:
        """The pattern of the keys of all epochs of the store, as `SCAN` takes it."""
        return f"{self._of_store}*"

    def is_older(self, key: str) -> bool:
        """Whether a key is one of an earlier epoch of the store."""
        epoch = re.match(r"[0-9]+(?=:)", key.removeprefix(self._of_store))
        is_of_store = key.startswith(self._of_store)
        return is_of_store and epoch is not None and int(epoch[0]) < self.lineage.epoch

    @property
    def _of_store(self) -> str:
        return f"{self.topic_prefix}views:{self.lineage.lineage[:_LINEAGE_DIGITS]}."


def record_name(projection: str, checkout_id: str = "") -> str:
    """The key of a record after `Keys.base`. The names of indexes follow that, too."""
    return f"{projection}:{checkout_id}"
