"""A copy of the event topic that can be queried by checkout and version.

The topic interleaves checkouts, and the store is read checkout by checkout. A temporary SQLite file
between them, which the system deletes whatever happens, keeps memory bounded.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from aiokafka import ConsumerRecord

from domain.values import CHECKOUT_ID_PATTERN
from services.kafka.producer_record import Headers, ProducerRecord

_SUBJECT = re.compile(CHECKOUT_ID_PATTERN.encode())
_SEQUENCE = re.compile(rb"[0-9]{20}")
_AT_ONCE = 1_000

_TABLE = (
    "CREATE TABLE records (checkout_id TEXT, version INTEGER, number INTEGER, place INTEGER, "
    "value BLOB, headers BLOB)"
)
_INDEXES = (
    "CREATE INDEX by_version ON records (checkout_id, version)",
    "CREATE INDEX by_place ON records (checkout_id, number, place)",
)


class Digests(NamedTuple):
    """Digests of a record: of key and value, and of the headers in any order."""

    value: bytes
    headers: bytes

    @classmethod
    def of(cls, message: ProducerRecord) -> Digests:
        """The digests of what the relay publishes."""
        return cls(_digest(message.key, message.value), _digest_headers(message.headers))

    @classmethod
    def of_record(cls, record: ConsumerRecord) -> Digests:
        """The digests of what is on the topic."""
        return cls(_digest(record.key, record.value), _digest_headers(record.headers))


@dataclass(frozen=True, slots=True)
class Copy:
    """A record of an event: partition, offset and digests."""

    partition: int
    offset: int
    digests: Digests

    @property
    def place(self) -> str:
        """`partition:offset`."""
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Disorder:
    """An event that comes before its predecessor, or is in another partition."""

    checkout_id: str
    version: int
    what: str


class TopicCopy:
    """Records by checkout and version. Add all of them, then `finish`, then query."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.execute(_TABLE)
        self._waiting: list[tuple[str, int, int, int, bytes, bytes]] = []
        self.count = 0

    def add(self, identity: tuple[str, int], record: ConsumerRecord) -> None:
        """Add the record of an event."""
        digests = Digests.of_record(record)
        self._waiting.append((*identity, record.partition, record.offset, *digests))
        self.count += 1
        if len(self._waiting) == _AT_ONCE:
            self._flush()

    def finish(self) -> None:
        """Create the indexes for queries."""
        self._flush()
        for index in _INDEXES:
            self._database.execute(index)

    def find(self, checkout_id: str, version: int) -> list[Copy]:
        """The records of an event; several if it was published again."""
        found = self._database.execute(
            "SELECT number, place, value, headers FROM records "
            "WHERE checkout_id = ? AND version = ? ORDER BY number, place",
            [checkout_id, version],
        )
        return [
            Copy(number, place, Digests(value, headers)) for number, place, value, headers in found
        ]

    def identities(self) -> Iterator[tuple[str, int]]:
        """Each event that is there, once."""
        yield from self._database.execute(
            "SELECT DISTINCT checkout_id, version FROM records ORDER BY checkout_id, version"
        )

    def disorders(self, trimmed: Collection[int]) -> Iterator[Disorder]:
        """The events that are not in the order of their versions within one partition.

        Repeats are in order, also of events that were in a partition before it was trimmed. Missing
        events are not looked for here.
        """
        last, home, reached, first = "", -1, 0, 0
        ordered = self._database.execute(
            "SELECT checkout_id, version, number, place FROM records "
            "ORDER BY checkout_id, number, place"
        )
        for checkout_id, version, number, place in ordered:
            if checkout_id != last:
                last, home, reached = checkout_id, number, 0
                first = version if number in trimmed else 0
            if number != home:
                what = f"is in partition {number}, and others of its checkout in partition {home}"
                yield Disorder(checkout_id, version, what)
                continue
            if first <= version < reached and not self._is_repeat(
                checkout_id, version, number, place
            ):
                what = f"comes at {number}:{place}, after version {reached},"
                yield Disorder(checkout_id, version, what)
            reached = max(reached, version)

    def close(self) -> None:
        """Delete the copy."""
        self._database.close()

    def _is_repeat(self, checkout_id: str, version: int, number: int, place: int) -> bool:
        copies = self.find(checkout_id, version)
        return any(copy.partition == number and copy.offset < place for copy in copies)

    def _flush(self) -> None:
        with self._database:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT INTO records VALUES (?,?,?,?,?,?)", self._waiting)
        self._waiting.clear()


def identity_of(record: ConsumerRecord) -> tuple[str, int] | None:
    """The checkout and version of a record; None if it is not an event of ours."""
    headers = dict(record.headers)
    subject, sequence = headers.get("ce_subject") or b"", headers.get("ce_sequence") or b""
    if not _SUBJECT.fullmatch(subject) or not _SEQUENCE.fullmatch(sequence):
        return None
    version = int(sequence)
    return (subject.decode(), version) if 0 < version < 2**63 else None


def _digest(*parts: bytes | None) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        # The length before each part, and a mark for null: no two contents have the same input.
        digest.update(b"-" if part is None else b"%d:" % len(part))
        digest.update(part or b"")
    return digest.digest()


def _digest_headers(headers: Headers) -> bytes:
    return _digest(*(part for name, value in sorted(headers) for part in (name.encode(), value)))
