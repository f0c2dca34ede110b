"""What is on the event topic after the faults, compared with the store."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping

from aiokafka import ConsumerRecord

from tests.faults.cluster import Cluster
from tests.faults.topic_events import records_on


class PublishedEvents:
    """The event topic, read from its beginning to its end."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        """By id, `<checkout>:<version>`."""
        self.versions: defaultdict[str, list[int]] = defaultdict(list)
        """Of each checkout, in the order of their first copies."""
        self._by_cause: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._differing: list[str] = []

    @classmethod
    async def read(
        cls, cluster: Cluster, expected: Mapping[str, bytes], within: float
    ) -> PublishedEvents:
        """Read until the topic has the expected ids, at most `within` seconds."""
        deadline = asyncio.get_running_loop().time() + within
        while True:
            published = cls()
            for record in await records_on(cluster):
                published._add(record)
            is_late = asyncio.get_running_loop().time() > deadline
            if expected.keys() <= published.values.keys() or is_late:
                return published
            await asyncio.sleep(0.5)

    def _add(self, record: ConsumerRecord) -> None:
        headers = {name: value.decode() for name, value in record.headers}
        event_id = headers["ce_id"]
        if event_id not in self.values:
            self.values[event_id] = record.value
            self.versions[headers["ce_subject"]].append(int(headers["ce_sequence"]))
            self._by_cause[headers["ce_causationsource"], headers["ce_causationid"]].add(event_id)
        elif self.values[event_id] != record.value:
            self._differing.append(f"{event_id} was published with two values")

    def of_command(self, source: str, command_id: str) -> set[str]:
        """The ids of the events that the command caused."""
        return self._by_cause.get((source, command_id), set())

    def differences(
        self, versions: Mapping[str, list[int]], messages: Mapping[str, bytes]
    ) -> Iterator[str]:
        """What differs from the store, which has these versions of each checkout, to be sent like this."""
        yield from self._differing
        for checkout, stored in versions.items():
            if self.versions[checkout] != stored:
                yield f"{checkout}: events on Kafka are {self.versions[checkout]}"
        for event_id, value in messages.items():
            if self.values.get(event_id) != value:
                yield f"{event_id} differs on Kafka"
        for event_id in self.values.keys() - messages.keys():
            yield f"{event_id} is on Kafka and not in the store"
