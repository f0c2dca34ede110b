"""Compares a restored store with the event topic, and finds what only the topic has."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

from services.event_store import EventStore
from services.event_store.event_mapper import UnreadableEvent
from services.event_store.set_aside import SetAside, is_set_aside
from services.event_store.stored_row import StoredRow
from services.kafka.connection import KafkaConnection
from services.kafka.topic_copy import Copy, Digests, TopicCopy, identity_of
from services.kafka.topic_reader import records_of
from services.messages.event_messages import event_message
from services.store_restore.report import Difference

_PAGE = 1_000

Progress = Callable[[str, int, int | None], None]
"""Gets what is being done, how many are done, and of how many if that is known."""


class Comparison:
    """Reads the topic into a copy, then the store, row by row. Nothing writes to the store meanwhile."""

    def __init__(self, store: EventStore, topic: str, progress: Progress) -> None:
        self._store = store
        self._topic = topic
        self._progress = progress
        self._copy = TopicCopy()
        self._aside: Mapping[str, SetAside] = {}
        self._differing: dict[str, Difference] = {}
        self.first_unpublished: int | None = None
        """The position of the first event of the store that is not on the topic."""

    async def read_topic(self, connection: KafkaConnection, total: int) -> None:
        """Copy what identifies each record. Raises `KafkaUnavailable`."""
        async for record in records_of(connection, self._topic):
            identity = identity_of(record)
            if identity:
                self._copy.add(identity, record)
                self._progress("Events on Kafka", self._copy.count, total)
        self._copy.finish()

    def read_store(self, published: int) -> None:
        """Compare each event of the store. The topic had those up to position `published`; it may have
        trimmed them since.
        """
        self._aside = self._store.set_aside.by_checkout()
        newest, position = self._store.newest(), 0
        while rows := self._store.rows(position, _PAGE):
            for row in rows:
                self._compare(row, published)
            position = rows[-1].position
            self._progress("Positions in the store", position, newest)

    def differences(self) -> list[Difference]:
        """The checkouts of which the store has another event than the topic, at the same version."""
        return list(self._differing.values())

    def lost(self) -> Iterator[tuple[str, list[Copy], Difference | None]]:
        """Each checkout of which the topic has events that the store has not: the records to import, in
        order, and what keeps later ones from being imported.
        """
        by_checkout = itertools.groupby(self._copy.identities(), lambda identity: identity[0])
        for checkout_id, identities in by_checkout:
            version = self._store.version(checkout_id)
            beyond = [published for _, published in identities if published > version]
            if beyond and checkout_id not in self._differing:
                yield (checkout_id, *self._importable(checkout_id, version, beyond))

    def close(self) -> None:
        """Delete the copy."""
        self._copy.close()

    def _compare(self, row: StoredRow, published: int) -> None:
        copies = self._copy.find(row.checkout_id, row.version)
        if not copies:
            # What the relay has set aside stays so: it publishes that once it can be read.
            is_aside = is_set_aside(self._aside, row.checkout_id, row.version)
            if row.position > published and not is_aside and self.first_unpublished is None:
                self.first_unpublished = row.position
            return
        try:
            ours = Digests.of(event_message(self._topic, row)).value
        except UnreadableEvent:
            return
        other = next((copy for copy in copies if copy.digests.value != ours), None)
        if other and row.checkout_id not in self._differing:
            what = f"is another event on {self._topic} {other.place}, and nothing was imported"
            self._differing[row.checkout_id] = Difference(row.checkout_id, row.version, what)

    def _importable(
        self, checkout_id: str, version: int, beyond: list[int]
    ) -> tuple[list[Copy], Difference | None]:
        wanted: list[Copy] = []
        for expected, published in enumerate(beyond, start=version + 1):
            if published != expected:
                what = f"is missing on {self._topic} too, and later ones were not imported"
                return wanted, Difference(checkout_id, expected, what)
            copies = self._copy.find(checkout_id, published)
            if len({copy.digests.value for copy in copies}) > 1:
                what = f"is there as different events on {self._topic}, and was not imported"
                return wanted, Difference(checkout_id, published, what)
            wanted.append(copies[0])
        return wanted, None
