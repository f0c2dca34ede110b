"""The events that only Kafka has, in a temporary file, so that memory stays bounded."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from datetime import datetime

from eventsourcing.persistence import StoredEvent

_TABLES = (
    (
        "CREATE TABLE wanted (partition INTEGER, offset INTEGER, PRIMARY KEY (partition, offset)) "
        "WITHOUT ROWID"
    ),
    (
        "CREATE TABLE lost (at REAL, checkout_id TEXT, version INTEGER, topic TEXT, state BLOB, "
        "PRIMARY KEY (at, checkout_id, version)) WITHOUT ROWID"
    ),
)


class LostEvents:
    """First the places of the records that are wanted, then the events in them."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        for table in _TABLES:
            self._database.execute(table)

    def want(self, partition: int, offset: int) -> None:
        """Note a record to be read."""
        self._database.execute("INSERT OR IGNORE INTO wanted VALUES (?, ?)", [partition, offset])

    def is_wanted(self, partition: int, offset: int) -> bool:
        """Whether a record is to be read."""
        found = self._database.execute(
            "SELECT 1 FROM wanted WHERE partition = ? AND offset = ?", [partition, offset]
        )
        return found.fetchone() is not None

    def starts(self) -> dict[int, int]:
        """The first wanted offset of each partition that has one."""
        return dict(
            self._database.execute("SELECT partition, min(offset) FROM wanted GROUP BY partition")
        )

    def add(self, at: datetime, event: StoredEvent) -> None:
        """Add an event that happened at this time."""
        self._database.execute(
            "INSERT OR IGNORE INTO lost VALUES (?, ?, ?, ?, ?)",
            [
                at.timestamp(),
                event.originator_id,
                event.originator_version,
                event.topic,
                event.state,
            ],
        )

    def commands(self) -> Iterator[list[StoredEvent]]:
        """The events by time, a list for each checkout and time: those of one command are together.

        Time never goes back within a checkout, so its events come in the order of their versions.
        """
        rows = self._database.execute(
            "SELECT at, checkout_id, version, topic, state FROM lost "
            "ORDER BY at, checkout_id, version"
        )
        for _, group in itertools.groupby(rows, lambda row: (row[0], row[1])):
            yield [StoredEvent(*row[1:]) for row in group]

    def close(self) -> None:
        """Delete the file."""
        self._database.close()
