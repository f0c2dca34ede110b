"""Record batches with header names that are not UTF-8, which no Kafka client would send."""

import gzip
import struct

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.record.util import calc_crc32c

NAME = "xy-name"
BAD_NAME = b"\xff\xfe-name"
SHOWN = r"\xff\xfe-name"
PLAIN, GZIP = 0, 1

# Of a record batch in Kafka's message format v2.
LENGTH_AT, CRC_AT, ATTRIBUTES_AT, RECORDS_AT = 8, 17, 21, 61

Record = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
"""Key, value and headers."""


def spoiled(batch: bytes, codec: int = PLAIN) -> bytes:
    """A batch with the bad name for the good one, compressed if asked for, and sealed again."""
    assert NAME.encode() in batch
    head, records = batch[:RECORDS_AT], batch[RECORDS_AT:].replace(NAME.encode(), BAD_NAME)
    if codec == GZIP:
        records = gzip.compress(records)
    made = bytearray(head + records)
    (attributes,) = struct.unpack_from(">h", made, ATTRIBUTES_AT)
    struct.pack_into(">i", made, LENGTH_AT, len(made) - LENGTH_AT - 4)
    struct.pack_into(">h", made, ATTRIBUTES_AT, attributes | codec)
    struct.pack_into(">I", made, CRC_AT, calc_crc32c(bytes(made[ATTRIBUTES_AT:])))
    return bytes(made)


async def send_spoiled(
    producer: AIOKafkaProducer,
    topic: str,
    partition: int,
    *records: Record,
    codec: int = PLAIN,
) -> int:
    """Send records in one batch, with the bad name wherever one has `NAME`; the first offset."""
    batch = producer.create_batch()
    for key, value, headers in records:
        assert batch.append(key=key, value=value, timestamp=None, headers=headers)
    batch.close()
    batch._buffer = bytearray(spoiled(bytes(batch._build()), codec))
    metadata = await (await producer.send_batch(batch, topic, partition=partition))
    return int(metadata.offset)


def is_spoiled(record: ConsumerRecord) -> bool:
    """Whether it was read with the bad name made readable."""
    return SHOWN in dict(record.headers)
