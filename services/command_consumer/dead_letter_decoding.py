"""A dead letter read again: what came, and what was noted when it was put aside."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from aiokafka import ConsumerRecord

from services.command_consumer.received_cloud_event import ReceivedCloudEvent, Unanswerable

logger = logging.getLogger(__name__)

_FIRST_OF_OURS = "dl_reason"


@dataclass(frozen=True)
class DeadLetter:
    """A record of the dead letters' topic.

    `original` is the record as it came, `facts` are the `dl_…` headers without that prefix; there are
    none if the record is no dead letter of this service.
    """

    partition: int
    offset: int
    original: ConsumerRecord
    facts: Mapping[str, str]

    @classmethod
    def of(cls, record: ConsumerRecord) -> DeadLetter:
        """Read a record. Our headers are the last ones; what came may have had such names itself."""
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
        """Where the record was put aside from: `TOPIC PARTITION:OFFSET`."""
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
        """The version that its checkout was at, if it was noted."""
        noted = self.facts.get("checkout_version", "")
        return int(noted) if noted.isascii() and noted.isdigit() else None

    @cached_property
    def checkout(self) -> str | None:
        """The checkout that it is about, as far as that can be told: by its subject, else its key."""
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
            # It may be here for the very reason that our reading stumbles over it.
            logger.debug("dead letter %s", self.place, exc_info=True)
            return None
        return subject if isinstance(subject, str) else None
