"""A client waits for a leader, or for any broker, without asking again and again without a pause."""

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.kafka.producer_record import ProducerRecord
from services.kafka.publisher import KafkaUnavailable, Publisher
from services.kafka.resilient_consumer import ResilientConsumer
from tests.faults.test_leaderless_partition import NO_LEADER, wait_for_leaders
from tests.servers.kafka import own_kafka
from tests.system.kafka_user import new_id

pytestmark = pytest.mark.full

SECONDS = 3
AT_MOST = SECONDS * 20
"""Twice as often as one client asks that pauses for 0.1 s."""


class Requests(logging.Handler):
    """Counts the requests for metadata that aiokafka's clients send or can't send."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += "metadata request" in record.msg or "update metadata" in record.msg

    async def in_seconds(self, seconds: float) -> int:
        self.count = 0
        await asyncio.sleep(seconds)
        return self.count


@pytest.fixture
def requests() -> Iterator[Requests]:
    handler = Requests()
    logger = logging.getLogger("aiokafka")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


async def test_neither_a_consumer_nor_a_publisher_hammers_brokers_for_a_leader(requests: Requests):
    topic = new_id()
    with own_kafka() as first, own_kafka(joins=first) as second:
        connection = {"bootstrap_servers": first.bootstrap_servers, "metadata_max_age_ms": 500}
        admin = AIOKafkaAdminClient(**connection)
        await admin.start()
        await admin.create_topics([NewTopic(topic, -1, -1, {0: [second.node_id]})])
        consumer = ResilientConsumer(**connection)
        await consumer.start()
        publisher = Publisher(connection)
        message = [ProducerRecord(topic, b"key", b"value", [])]
        try:
            consumer.assign([TopicPartition(topic, 0)])
            await publisher.publish(message)
            assert await consumer.getmany(timeout_ms=100)
            await asyncio.to_thread(second.stop, signal.SIGKILL)

            await wait_for_leaders(admin, topic, [NO_LEADER])
            reading = asyncio.create_task(consumer.getmany(timeout_ms=100))
            await asyncio.sleep(1)
            assert 0 < await requests.in_seconds(SECONDS) < AT_MOST
            publishing = asyncio.create_task(publisher.publish(message))
            assert 0 < await requests.in_seconds(SECONDS) < 2 * AT_MOST

            await asyncio.to_thread(first.stop, signal.SIGKILL)
            assert 0 < await requests.in_seconds(SECONDS) < 2 * AT_MOST
            await asyncio.gather(*(asyncio.to_thread(it.start) for it in (first, second)))
            with suppress(KafkaUnavailable):
                await publishing
            await publisher.publish(message)
            await reading
        finally:
            await publisher.stop()
            await consumer.stop()
            await admin.close()
