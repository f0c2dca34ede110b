"""A header name that is not UTF-8, which aiokafka cannot decode, affects only its own record."""

import asyncio

import pytest

from tests.services.kafka.bad_names import GZIP, NAME, PLAIN, SHOWN, send_spoiled
from tests.system.kafka_records import (
    PARTITION,
    RawRecord,
    RecordPosition,
    dead_letter_of,
    is_accepted,
    publish_raw,
    valid_command,
)
from tests.system.kafka_user import KafkaUser, header
from tests.system.record_variants import with_header


async def publish_undecodable(
    kafka: KafkaUser, *records: RawRecord, codec: int = PLAIN, partition: int = PARTITION
) -> RecordPosition:
    batch = [(raw.key, raw.value, raw.headers) for raw in records]
    offset = await send_spoiled(kafka.producer, "checkout.commands", partition, *batch, codec=codec)
    return RecordPosition(partition, offset)


def undecodable_record() -> RawRecord:
    return with_header(NAME, b"content")()


@pytest.mark.parametrize("codec", [PLAIN, GZIP], ids=["plain", "gzip"])
async def test_other_records_in_the_same_batch_are_accepted(kafka: KafkaUser, codec: int):
    before, bad, after, later = (
        valid_command(),
        undecodable_record(),
        valid_command(),
        valid_command(),
    )

    at = await publish_undecodable(kafka, before, bad, after, codec=codec)
    await publish_raw(kafka, later)

    assert await is_accepted(kafka, before)
    assert await is_accepted(kafka, after)
    assert await is_accepted(kafka, later)
    assert await dead_letter_of(kafka, RecordPosition(at.partition, at.offset + 1))


async def test_the_dead_letter_shows_the_header_name_in_readable_form(kafka: KafkaUser):
    bad = undecodable_record()

    letter = await dead_letter_of(kafka, await publish_undecodable(kafka, bad))

    assert header(letter, "dl_reason") == "undecodable_header_name"
    assert (letter.key, letter.value) == (bad.key, bad.value)
    names = [name for name, _ in letter.headers]
    assert names[: len(bad.headers)] == [SHOWN if name == NAME else name for name, _ in bad.headers]
    assert dict(letter.headers)[SHOWN] == b"content"


async def test_consecutive_undecodable_records_are_skipped_one_by_one(kafka: KafkaUser):
    positions = [await publish_undecodable(kafka, undecodable_record()) for _ in range(20)]
    after = valid_command()
    await publish_raw(kafka, after)

    assert await is_accepted(kafka, after)
    for at in positions:
        assert await dead_letter_of(kafka, at)


async def test_records_fetched_from_other_partitions_are_accepted(kafka: KafkaUser):
    commands = [valid_command() for _ in range(200)]

    for number in range(0, 200, 4):
        await asyncio.gather(
            publish_undecodable(
                kafka, commands[number], undecodable_record(), partition=number // 4 % 4
            ),
            *(publish_raw(kafka, commands[number + more], partition=more) for more in (1, 2, 3)),
        )

    wanted = {raw.command_id for raw in commands}
    replies = await kafka.records(
        "checkout.replies", lambda r: header(r, "ce_causationid") in wanted, len(commands)
    )
    assert {header(reply, "ce_causationid") for reply in replies} == wanted
    assert {header(reply, "ce_type") for reply in replies} == {"checkout.CommandAccepted"}
