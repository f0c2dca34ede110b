"""Dead letters: encoded as they are published, and decoded again for operators."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from aiokafka import ConsumerRecord

from services.command_consumer.received_cloud_event import ReceivedCloudEvent, Unanswerable
from services.kafka.producer_record import ProducerRecord
from services.kafka.publisher import MAX_MESSAGE_BYTES
from services.messages.dead_letters import DeadLetterHeaders, DeadLetterReason
from services.messages.rfc3339 import format_rfc3339

logger = logging.getLogger(__name__)

_ROOM_FOR_OURS = 1_000
_MAX_KEY_BYTES = 10_000
_FIRST_OF_OURS = "dl_reason"


def encode(
    topic: str,
    record: ConsumerRecord,
    reason: DeadLetterReason,
    now: datetime,
    checkout_version: int | None = None,
) -> ProducerRecord:
    """The dead letter of a record: key, value and headers as they came, and `dl_…` headers.

    `checkout_version` is the version of its checkout then, for a retry; it is known of a command that
    failed, not of a message that could not be read. What does not fit is cut, the end of the value first:
    `dl_truncated` says so, and `dl_value_sha256` is the digest of the whole value.
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
    ours: DeadLetterHeaders = {
        "dl_reason": reason.value,
        "dl_topic": record.topic,
        "dl_partition": str(record.partition),
        "dl_offset": str(record.offset),
        "dl_time": format_rfc3339(now),
    }
    if checkout_version is not None:
        ours["dl_checkout_version"] = str(checkout_version)
    if not is_whole:
        ours["dl_truncated"] = "true"
        ours["dl_value_sha256"] = hashlib.sha256(value or b"").hexdigest()
    headers += [(name, str(text).encode()) for name, text in ours.items()]
    return ProducerRecord(topic, kept_key, kept_value, headers)


@dataclass(frozen=True)
class DeadLetter:
    """A record of the dead-letter topic.

    `original` is the message as it came, `facts` are the `dl_…` headers without that prefix, empty if
    the record is no dead letter of this service.
    """

    partition: int
    offset: int
    original: ConsumerRecord
    facts: Mapping[str, str]

    @classmethod
    def decode(cls, record: ConsumerRecord) -> DeadLetter:
        """Read a record. Our headers are the last ones: the message may have had headers of these names."""
        names = [name for name, _ in record.headers]
        count = len(names)
        ours = count - 1 - names[::-1].index(_FIRST_OF_OURS) if _FIRST_OF_OURS in names else count
        facts = {
            name.removeprefix("dl_"): (content or b"").decode("utf-8", "replace")
            for name, content in record.headers[ours:]
        }
        original = replace(record, headers=tuple(record.headers[:ours]))
        return cls(record.partition, record.offset, original, facts)

    @property
    def place(self) -> str:
        """Where it is: `PARTITION:OFFSET`."""
        return f"{self.partition}:{self.offset}"

    @property
    def came_from(self) -> str | None:
        """Where the message came from: `TOPIC PARTITION:OFFSET`."""
        if not self.facts:
            return None
        return " ".join(
            (
                self.facts.get("topic", "?"),
                f"{self.facts.get('partition', '?')}:{self.facts.get('offset', '?')}",
            )
        )

    @property
    def checkout_version(self) -> int | None:
        """The version of its checkout then, if it is known."""
        noted = self.facts.get("checkout_version", "")
        return int(noted) if noted.isascii() and noted.isdigit() else None

    @cached_property
    def checkout(self) -> str | None:
        """The checkout it is about: by its subject, else by its key; None if neither can be read."""
        subject = self._subject()
        if subject is not None:
            return subject
        try:
            return self.original.key.decode() if self.original.key else None
        except UnicodeDecodeError:
            return None

    def _subject(self) -> str | None:
        try:
            subject = ReceivedCloudEvent.of(self.original).attributes.get("subject")
        except Unanswerable:
            return None
        except Exception:
            # It may be a dead letter because reading it fails.
            logger.debug("dead letter %s", self.place, exc_info=True)
            return None
        return subject if isinstance(subject, str) else None
