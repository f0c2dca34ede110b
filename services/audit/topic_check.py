"""Compares the events on Kafka with the store's, from the earliest retained offset."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing

from aiokafka import ConsumerRecord
from aiokafka.partitioner import DefaultPartitioner

from domain.events import RecordedEvent
from services.audit.streams import stream_of
from services.audit.violations import Violation
from services.event_store import EventStore
from services.event_store.set_aside import SetAside, is_set_aside
from services.event_store.stored_row import StoredRow
from services.kafka.connection import KafkaConnection
from services.kafka.topic_copy import Digests, TopicCopy, identity_of
from services.kafka.topic_reader import bounds_of, records_of
from services.messages.event_messages import event_message

_FIRST_KEPT = 100
"""Records of a trimmed partition, at least one of which must be in the store to know what is retained."""

_NOTHING = 2**62
"""A position that no event reaches."""


class TopicCheck:
    """Reads the topic once, and is then shown the events of the store.

    `relayed` is the relay's position, read before: all events up to it must be on the topic, except those of
    the streams that it has set aside, read after the position.
    """

    def __init__(
        self, store: EventStore, topic: str, relayed: int, aside: Mapping[str, SetAside]
    ) -> None:
        self._store = store
        self._topic = topic
        self._relayed = relayed
        self._aside = aside
        self._copy = TopicCopy()
        self._partitions: list[int] = []
        self._first: dict[int, list[tuple[str, int]]] = defaultdict(list)
        self._kept_from: dict[int, int] = {}
        self._matched = 0
        self.waiting = 0
        """Events that the relay has not published yet."""

    @property
    def count(self) -> int:
        """The number of records read for the wanted checkouts."""
        return self._copy.count

    async def read(
        self,
        connection: KafkaConnection,
        wanted: Sequence[str],
        progress: Callable[[int, int], None],
    ) -> AsyncGenerator[Violation, None]:
        """Read the records of these checkouts, or of all if none are given; yields what is not an
        event.

        `progress` gets the number of records read, and of how many. Raises `KafkaUnavailable`.
        """
        bounds = await bounds_of(connection, self._topic)
        self._partitions = sorted(bounds)
        trimmed = {number for number, (begin, _) in bounds.items() if begin}
        total = sum(end - begin for begin, end in bounds.values())
        reached = dict.fromkeys(bounds, 0)
        async with aclosing(records_of(connection, self._topic)) as records:
            for done in itertools.count(1):
                record = await anext(records, None)
                if record is None:
                    break
                if not reached[record.partition] and record.offset:
                    trimmed.add(record.partition)
                reached[record.partition] = record.offset + 1
                progress(done, total)
                if violation := self._take(record, wanted, keep=record.partition in trimmed):
                    yield violation
        self._copy.finish()
        self._kept_from = {number: self._begin_of(number) for number in trimmed}

    def compare(self, row: StoredRow, recorded: RecordedEvent | None) -> Iterator[Violation]:
        """The violations of an event of the store on the topic. None: the event can't be read."""
        copies = self._copy.find(row.checkout_id, row.version)
        self._matched += len(copies)
        if not copies:
            is_aside = is_set_aside(self._aside, row.checkout_id, row.version)
            if row.position > self._relayed or is_aside:
                self.waiting += 1
            elif row.position >= self._kept_from.get(self._partition_of(row.checkout_id), 0):
                what = f"is not on {self._topic}, and the relay is past it"
                yield Violation(what, row.checkout_id, row.version)
            return
        if recorded is None:
            return
        ours = Digests.of(event_message(self._topic, row))
        for copy in copies:
            for part, difference in (("value", "another value"), ("headers", "other headers")):
                if getattr(copy.digests, part) != getattr(ours, part):
                    what = f"has {difference} on {self._topic} {copy.place} than in the store"
                    yield Violation(what, row.checkout_id, row.version)

    def end(self) -> Iterator[Violation]:
        """The violations of the topic as a whole, after all wanted events of the store were compared."""
        for disorder in self._copy.disorders(self._kept_from.keys()):
            what = f"{disorder.what} on {self._topic}"
            yield Violation(what, disorder.checkout_id, disorder.version)
        if self._matched < self.count:
            yield from self._strangers()

    def close(self) -> None:
        """Delete what was read."""
        self._copy.close()

    def _take(
        self, record: ConsumerRecord, wanted: Sequence[str], *, keep: bool
    ) -> Violation | None:
        identity = identity_of(record)
        if identity is None:
            if wanted:
                return None
            place = f"{self._topic} {record.partition}:{record.offset}"
            return Violation(f"{place} is no event of a checkout")
        first = self._first[record.partition]
        if keep and len(first) < _FIRST_KEPT:
            first.append(identity)
        if not wanted or identity[0] in wanted:
            self._copy.add(identity, record)
        return None

    def _begin_of(self, number: int) -> int:
        """The position of the first event in the store that a trimmed partition must still have."""
        for checkout_id, version in self._first[number]:
            for row in self._store.stream_rows(checkout_id, version - 1, 1, within=True):
                if row.version == version:
                    return row.position
        return _NOTHING

    def _partition_of(self, checkout_id: str) -> int:
        key = checkout_id.encode()
        return int(DefaultPartitioner()(key, self._partitions, self._partitions))

    def _strangers(self) -> Iterator[Violation]:
        """Events on the topic that are not in the store."""
        for checkout_id, found in itertools.groupby(self._copy.identities(), lambda it: it[0]):
            stored = (row.version for row in stream_of(self._store, checkout_id))
            version = next(stored, _NOTHING)
            for _, published in found:
                while version < published:
                    version = next(stored, _NOTHING)
                if version != published:
                    what = f"is on {self._topic}, and not in the store"
                    yield Violation(what, checkout_id, published)
