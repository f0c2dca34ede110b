"""A header whose name is not UTF-8, which aiokafka itself can't read: one record, and no more."""

import asyncio

import pytest

from tests.services.kafka.bad_names import GZIP, NAME, PLAIN, SHOWN, send_spoiled
from tests.system.kafka_records import (
    PARTITION,
    Offset,
    Raw,
    dead_letter_of,
    good,
    is_served,
    publish_raw,
)
from tests.system.kafka_user import KafkaUser, header
from tests.system.spoiling import header as a_header


async def publish_spoiled(
    kafka: KafkaUser, *records: Raw, codec: int = PLAIN, partition: int = PARTITION
) -> Offset:
    batch = [(raw.key, raw.value, raw.headers) for raw in records]
    offset = await send_spoiled(kafka.producer, "checkout.commands", partition, *batch, codec=codec)
    return Offset(partition, offset)


def odd() -> Raw:
    return a_header(NAME, b"content")()


@pytest.mark.parametrize("codec", [PLAIN, GZIP], ids=["plain", "gzip"])
async def test_the_records_before_and_behind_it_in_its_batch_are_served(
    kafka: KafkaUser, codec: int
):
    before, bad, behind, later = good(), odd(), good(), good()

    at = await publish_spoiled(kafka, before, bad, behind, codec=codec)
    await publish_raw(kafka, later)

    assert await is_served(kafka, before)
    assert await is_served(kafka, behind)
    assert await is_served(kafka, later)
    assert await dead_letter_of(kafka, Offset(at.partition, at.offset + 1))


async def test_it_is_a_dead_letter_with_its_name_made_readable(kafka: KafkaUser):
    bad = odd()

    letter = await dead_letter_of(kafka, await publish_spoiled(kafka, bad))

    assert header(letter, "dl_reason") == "undecodable_header_name"
    assert (letter.key, letter.value) == (bad.key, bad.value)
    names = [name for name, _ in letter.headers]
    assert names[: len(bad.headers)] == [SHOWN if name == NAME else name for name, _ in bad.headers]
    assert dict(letter.headers)[SHOWN] == b"content"


async def test_many_of_them_in_a_row_are_stepped_over_one_by_one(kafka: KafkaUser):
    ats = [await publish_spoiled(kafka, odd()) for _ in range(20)]
    behind = good()
    await publish_raw(kafka, behind)

    assert await is_served(kafka, behind)
    for at in ats:
        assert await dead_letter_of(kafka, at)


async def test_records_that_came_with_it_on_other_partitions_are_served(kafka: KafkaUser):
    goods = [good() for _ in range(200)]

    for number in range(0, 200, 4):
        await asyncio.gather(
            publish_spoiled(kafka, goods[number], odd(), partition=number // 4 % 4),
            *(publish_raw(kafka, goods[number + more], partition=more) for more in (1, 2, 3)),
        )

    wanted = {raw.command_id for raw in goods}
    replies = await kafka.records(
        "checkout.replies", lambda r: header(r, "ce_causationid") in wanted, len(goods)
    )
    assert {header(reply, "ce_causationid") for reply in replies} == wanted
    assert {header(reply, "ce_type") for reply in replies} == {"checkout.CommandAccepted"}
