"""No record is lost or handed out twice for a neighbour whose header name aiokafka can't decode."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.kafka.lenient_decoding import UndecodableRecord
from services.kafka.producer_record import ProducerRecord
from services.kafka.publisher import Publisher
from services.kafka.resilient_consumer import ResilientConsumer
from tests.services.kafka.bad_names import GZIP, NAME, PLAIN, Record, is_spoiled, send_spoiled
from tests.system.kafka_user import new_id

PARTITIONS = 3
WAIT_SECONDS = 20


@pytest.fixture
async def topic(kafka_bootstrap: str) -> str:
    name = new_id()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    finally:
        await admin.close()
    return name


@pytest.fixture
async def producer(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as made:
        yield made


def fine(value: str) -> Record:
    return (None, value.encode(), [("name", b"x")])


def odd(value: str) -> Record:
    return (b"key", value.encode(), [("before", None), (NAME, b"x"), ("ñ", b"y")])


async def read(
    bootstrap: str, topic: str, count: int, max_records: int | None = None
) -> list[ConsumerRecord]:
    """The first so many records that a new group gets; there must be no more."""
    found: list[ConsumerRecord] = []
    consumer: AIOKafkaConsumer = ResilientConsumer(
        topic, bootstrap_servers=bootstrap, group_id=new_id(), auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while len(found) < count:
                handed_out = await consumer.getmany(timeout_ms=100, max_records=max_records)
                found += [record for records in handed_out.values() for record in records]
        for number in range(PARTITIONS):
            partition = TopicPartition(topic, number)
            ends = await consumer.end_offsets([partition])
            assert await consumer.position(partition) == ends[partition]
    finally:
        await consumer.stop()
    return found


def values(records: list[ConsumerRecord], partition: int) -> list[str]:
    return [record.value.decode() for record in records if record.partition == partition]


@pytest.mark.parametrize("codec", [PLAIN, GZIP])
@pytest.mark.parametrize("max_records", [None, 1, 500])
async def test_all_records_around_it_come_once_and_in_order(
    kafka_bootstrap: str,
    topic: str,
    producer: AIOKafkaProducer,
    codec: int,
    max_records: int | None,
):
    for partition in range(PARTITIONS):
        await producer.send_and_wait(topic, b"0", partition=partition)
        batch = [fine("1"), odd("2"), fine("3"), odd("4")]
        await send_spoiled(producer, topic, partition, *batch, codec=codec)
        await producer.send_and_wait(topic, b"5", partition=partition)

    records = await read(kafka_bootstrap, topic, 6 * PARTITIONS, max_records)

    for partition in range(PARTITIONS):
        assert values(records, partition) == ["0", "1", "2", "3", "4", "5"]
    assert {r.value for r in records if isinstance(r, UndecodableRecord)} == {b"2", b"4"}
    assert {r.value for r in records if is_spoiled(r)} == {b"2", b"4"}


async def test_what_stands_in_such_a_record_is_told_as_it_is(
    kafka_bootstrap: str, topic: str, producer: AIOKafkaProducer
):
    offset = await send_spoiled(producer, topic, 1, odd("value"))

    [record] = await read(kafka_bootstrap, topic, 1)

    assert (record.topic, record.partition, record.offset) == (topic, 1, offset)
    assert (record.key, record.value) == (b"key", b"value")
    assert record.headers == (("before", None), (r"\xff\xfe-name", b"x"), ("ñ", b"y"))


async def test_a_busy_partition_does_not_keep_it_waiting(
    kafka_bootstrap: str, topic: str, producer: AIOKafkaProducer
):
    await send_spoiled(producer, topic, 2, odd("odd"))
    sent = [await producer.send(topic, b"busy", partition=0) for _ in range(2_000)]
    await asyncio.gather(*sent)

    records = await read(kafka_bootstrap, topic, 2_001, 100)

    assert values(records, 2) == ["odd"]
    assert len(values(records, 0)) == 2_000


async def test_the_marks_of_transactions_around_it_are_stepped_over(
    kafka_bootstrap: str, topic: str, producer: AIOKafkaProducer
):
    async with AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap, transactional_id=new_id()
    ) as transactional:
        async with transactional.transaction():
            await transactional.send(topic, b"1", partition=0)
        await send_spoiled(producer, topic, 0, odd("2"))
        async with transactional.transaction():
            await transactional.send(topic, b"3", partition=0)

    records = await read(kafka_bootstrap, topic, 3)

    assert values(records, 0) == ["1", "2", "3"]


async def test_a_message_of_neither_key_nor_value_can_be_published(
    kafka_bootstrap: str, topic: str
):
    publisher = Publisher({"bootstrap_servers": kafka_bootstrap})
    try:
        await publisher.publish([ProducerRecord(topic, None, None, [("dl_reason", b"missing")])])
    finally:
        await publisher.stop()

    [record] = await read(kafka_bootstrap, topic, 1)

    assert (record.key, record.value) == (None, None)
    assert record.headers == (("dl_reason", b"missing"),)
