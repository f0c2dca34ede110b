"""A store that was published to a topic, and what a restore takes from it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.event_store import EventStore
from services.event_store.publication import Publication, PublishedEvent
from services.kafka.producer_record import ProducerRecord
from services.kafka.publisher import Publisher
from services.messages.event_messages import event_message
from services.store_restore.report import Report
from services.store_restore.restore import Restore
from tests.services.audit.given import sql

TABLES = ("stored_events", "outcomes", "payment_attempts", "positions", "publication", "lineage")


def back_up(database: str) -> None:
    """Keep the tables as they are now."""
    for table in TABLES:
        sql(database, f"CREATE TABLE backup_of_{table} AS SELECT * FROM {table}")


def restore_backup(database: str) -> None:
    """Replace the tables by what `back_up` kept."""
    for table in TABLES:
        sql(database, f"DELETE FROM {table}")
        sql(database, f"INSERT INTO {table} SELECT * FROM backup_of_{table}")


class EventTopic:
    """A topic of its own on a real Kafka, published to as the relay does."""

    def __init__(self, bootstrap: str) -> None:
        self.connection = {"bootstrap_servers": bootstrap}
        self.name = f"t{uuid.uuid4().hex[:8]}.events"

    async def create(self) -> None:
        """Create it, with three partitions."""
        admin = AIOKafkaAdminClient(**self.connection)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(self.name, 3, 1)])
        finally:
            await admin.close()

    async def send(self, messages: Sequence[ProducerRecord]) -> dict[int, int]:
        """Publish records; the end of each of their partitions."""
        publisher = Publisher(self.connection)
        try:
            ends = await publisher.publish(messages)
        finally:
            await publisher.stop()
        return {partition.partition: end for partition, end in ends.items()}

    async def publish(self, store: EventStore) -> None:
        """Publish what is not published yet, and record that."""
        before = store.publication.read()
        batch = store.tail(before.position, 1_000)
        ends = await self.send([event_message(self.name, item.recorded) for item in batch])
        last = batch[-1]
        published = PublishedEvent(last.position, last.recorded.checkout_id, last.recorded.version)
        after = Publication(last.position, published, self.name, {**before.ends, **ends})
        assert store.publication.advance(before, after)

    def restored(self, store: EventStore, *, is_lossless: bool = False) -> Restore:
        """A run of `checkout store restored`."""
        return Restore(store, self.connection, self.name, lambda *_: None, is_lossless=is_lossless)

    async def report(self, store: EventStore, *, is_lossless: bool = False) -> Report:
        """The report of a whole run."""
        return await self.restored(store, is_lossless=is_lossless).run()
