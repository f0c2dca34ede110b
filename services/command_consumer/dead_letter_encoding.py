"""Messages put aside: as they came, with where they came from and why."""

from __future__ import annotations

import hashlib
from datetime import datetime

from aiokafka import ConsumerRecord

from services.command_consumer.received_cloud_event import DeadLetterReason
from services.kafka.producer_record import ProducerRecord
from services.kafka.publisher import MAX_MESSAGE_BYTES
from services.messages.rfc3339 import format_rfc3339

_ROOM_FOR_OURS = 1_000
_MAX_KEY_BYTES = 10_000


def dead_letter(
    topic: str,
    record: ConsumerRecord,
    reason: DeadLetterReason,
    now: datetime,
    checkout_version: int | None = None,
) -> ProducerRecord:
    """The dead letter of a record: key, value and headers as they came, and `dl_…` headers.

    `checkout_version` is what its checkout was at, for who tries again; it is known of a command that
    failed, not of what could not be read. What doesn't fit is cut, the value first at its end;
    `dl_truncated` says so and `dl_value_sha256` tells what the whole value was.
    """
    value: bytes | None = record.value
    key: bytes | None = record.key
    room = MAX_MESSAGE_BYTES - _ROOM_FOR_OURS
    kept_key = key[:_MAX_KEY_BYTES] if key else key
    room -= len(kept_key or b"")
    headers = []
    for name, content in record.headers:
        size = len(name.encode()) + len(content or b"") + 10
        if size <= room:
            headers.append((name, content))
            room -= size
    kept_value = value[:room] if value else value
    is_whole = kept_key == key and kept_value == value and len(headers) == len(record.headers)
    headers += [
        ("dl_reason", reason.value.encode()),
        ("dl_topic", record.topic.encode()),
        ("dl_partition", str(record.partition).encode()),
        ("dl_offset", str(record.offset).encode()),
        ("dl_time", (format_rfc3339(now) or "").encode()),
    ]
    if checkout_version is not None:
        headers.append(("dl_checkout_version", str(checkout_version).encode()))
    if not is_whole:
        headers.append(("dl_truncated", b"true"))
        headers.append(("dl_value_sha256", hashlib.sha256(value or b"").hexdigest().encode()))
    return ProducerRecord(topic, kept_key, kept_value, headers)
