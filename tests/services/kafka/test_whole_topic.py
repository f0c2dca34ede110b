"""A topic is read whole, to the end that it had, on a real broker."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from services.kafka.publisher import KafkaUnavailable
from services.kafka.topic_reader import record_at, records_of
from tests.services.kafka.bad_names import NAME, is_spoiled, send_spoiled
from tests.system.kafka_user import new_id

PARTITIONS = 3
MANY = 1_000


@pytest.fixture
async def admin(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def topic(admin: AIOKafkaAdminClient) -> str:
    name = new_id()
    await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    return name


@pytest.fixture
async def producer(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as made:
        yield made


async def fill(producer: AIOKafkaProducer, topic: str, partition: int, count: int) -> None:
    for number in range(count):
        await producer.send(topic, str(number).encode(), partition=partition)
    await producer.flush()


async def read(bootstrap: str, topic: str) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    async with aclosing(records_of({"bootstrap_servers": bootstrap}, topic)) as records:
        async for record in records:
            found.setdefault(record.partition, []).append(record.value.decode())
    return found


async def test_each_record_comes_once_partition_by_partition_in_order(
    kafka_bootstrap: str, topic: str, producer: AIOKafkaProducer
):
    await fill(producer, topic, 0, MANY)
    await fill(producer, topic, 2, MANY)

    found = await read(kafka_bootstrap, topic)

    expected = [str(number) for number in range(MANY)]
    assert list(found.items()) == [(0, expected), (2, expected)]


async def test_an_empty_topic_has_none(kafka_bootstrap: str, topic: str):
    assert await read(kafka_bootstrap, topic) == {}


async def test_what_comes_meanwhile_is_left_for_the_next_time(
    kafka_bootstrap: str, topic: str, producer: AIOKafkaProducer
):
    await fill(producer, topic, 0, 3)
    await fill(producer, topic, 1, 3)

    count = 0
    async with aclosing(records_of({"bootstrap_servers": kafka_bootstrap}, topic)) as records:
        async for _ in records:
            count += 1
            await fill(producer, topic, 1, 1)

    assert count == 6


async def test_offsets_without_a_record_hold_nobody_up(
    kafka_bootstrap: str, topic: str, producer: AIOKafkaProducer, admin: AIOKafkaAdminClient
):
    await fill(producer, topic, 0, 5)
    await fill(producer, topic, 1, 5)
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=3)})
    await admin.delete_records({TopicPartition(topic, 1): RecordsToDelete(before_offset=5)})
    transactional = AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap, transactional_id=new_id(), enable_idempotence=True
    )
    async with transactional, transactional.transaction():
        await transactional.send(topic, b"last, before a marker", partition=2)

    found = await read(kafka_bootstrap, topic)

    assert found == {0: ["3", "4"], 2: ["last, before a marker"]}
    connection = {"bootstrap_servers": kafka_bootstrap}
    assert await record_at(connection, topic, 0, 2) is None
    assert await record_at(connection, topic, 2, 1) is None


async def test_a_record_with_a_header_name_that_is_not_utf8_is_read_like_any_other(
    kafka_bootstrap: str, topic: str, producer: AIOKafkaProducer
):
    at = await send_spoiled(producer, topic, 1, (None, b"odd", [(NAME, b"x")]))
    await fill(producer, topic, 1, 1)

    assert await read(kafka_bootstrap, topic) == {1: ["odd", "0"]}
    record = await record_at({"bootstrap_servers": kafka_bootstrap}, topic, 1, at)
    assert record
    assert is_spoiled(record)


async def test_one_record_is_found_by_its_place(
    kafka_bootstrap: str, topic: str, producer: AIOKafkaProducer
):
    await fill(producer, topic, 2, MANY)
    connection = {"bootstrap_servers": kafka_bootstrap}

    record = await record_at(connection, topic, 2, 700)

    assert record
    assert record.value == b"700"
    for number, offset in ((2, MANY), (0, 0), (PARTITIONS, 0)):
        assert await record_at(connection, topic, number, offset) is None


async def test_a_topic_that_is_missing_is_told_by_its_name(kafka_bootstrap: str):
    with pytest.raises(KafkaUnavailable, match=r"no topic nowhere; `checkout topics` makes it"):
        await read(kafka_bootstrap, "nowhere")
