"""Notices a store that was restored: the topic then goes on after the records that the store knows of, with
events that the store has not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing

from services.event_store import EventStore
from services.event_store.event_mapper import UnreadableEvent
from services.event_store.publication import Publication
from services.kafka.connection import KafkaConnection
from services.kafka.topic_copy import Digests, identity_of
from services.kafka.topic_reader import records_of
from services.messages.event_messages import event_message


class TopicTail:
    """Reads what is on the topic after the last acknowledged record.

    Usually that is nothing, or the batch of a relay that was stopped before it recorded the
    acknowledgement. What was read once and is in the store is not read again.
    """

    def __init__(self, store: EventStore, connection: KafkaConnection, topic: str) -> None:
        self._store = store
        self._connection = connection
        self._topic = topic
        self._known: Mapping[int, int] = {}
        self._known_at = 0

    async def problem(self, publication: Publication, ends: Mapping[int, int]) -> str | None:
        """The first event on the topic that the store has not, as a reason to stop writes; else None.

        Raises `KafkaUnavailable` and `StoreUnavailable`.
        """
        if publication.position and publication.topic != self._topic:
            return None  # a build that did not record the ends, or another topic
        if publication.position < self._known_at:
            self._known = {}
        reached = {
            number: max(publication.ends.get(number, 0), self._known.get(number, 0))
            for number in ends
        }
        starts = {number: reached[number] for number, end in ends.items() if end > reached[number]}
        if starts:
            records = records_of(self._connection, self._topic, starts)
            async with aclosing(records):
                async for record in records:
                    identity = identity_of(record)
                    value = Digests.of_record(record).value
                    if identity and not await asyncio.to_thread(self._has, *identity, value):
                        place = f"{self._topic} {record.partition}:{record.offset}"
                        return (
                            f"{place} has {identity[0]} version {identity[1]}, and the event store "
                            "has not: the store was restored, or lost commits in a failover. Writes "
                            "and publishing stop until `checkout store restored` has imported what "
                            "only Kafka has"
                        )
        self._known, self._known_at = {**self._known, **ends}, publication.position
        return None

    def _has(self, checkout_id: str, version: int, value: bytes) -> bool:
        row = next(iter(self._store.stream_rows(checkout_id, version - 1, 1, within=True)), None)
        if row is None or row.version != version:
            return False
        try:
            return Digests.of(event_message(self._topic, row)).value == value
        except UnreadableEvent:
            return True
