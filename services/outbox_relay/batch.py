"""Divides stored rows into what the relay publishes and what it sets aside."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.event_store import EventStore
from services.event_store.event_mapper import UnreadableEvent
from services.event_store.publication import PublishedEvent
from services.event_store.recorder import Statement
from services.event_store.set_aside import SetAside, is_set_aside
from services.event_store.stored_row import StoredRow
from services.kafka.producer_record import ProducerRecord
from services.messages.event_messages import event_message


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages of some rows in commit order, and the streams to set aside: from its first row that can't
    be read on, nothing of a stream is published.

    `last` is the event of the last row; None if that is set aside, because its repair may renumber it.
    """

    messages: Sequence[ProducerRecord]
    set_aside: Sequence[SetAside]
    last: PublishedEvent | None

    @classmethod
    def of(cls, topic: str, rows: Sequence[StoredRow], known: Mapping[str, SetAside]) -> Batch:
        """The batch; `known` are the streams that are set aside already, by checkout."""
        messages: list[ProducerRecord] = []
        found: dict[str, SetAside] = {}
        last: PublishedEvent | None = None
        for row in rows:
            last = None
            if any(is_set_aside(it, row.checkout_id, row.version) for it in (found, known)):
                continue
            try:
                messages.append(event_message(topic, row))
                last = PublishedEvent(row.position, row.checkout_id, row.version)
            except UnreadableEvent as error:
                found[row.checkout_id] = SetAside(
                    row.checkout_id, row.version, row.position, str(error), time.time()
                )
        return cls(messages, list(found.values()), last)


@dataclass(frozen=True, slots=True)
class Resumption:
    """What can be published again of a stream that was set aside, and the statement that records it."""

    messages: Sequence[ProducerRecord]
    statement: Statement
    is_complete: bool

    @classmethod
    def of(
        cls, store: EventStore, topic: str, aside: SetAside, position: int, limit: int
    ) -> Resumption | None:
        """The next events of the stream that the relay, now at `position`, has passed. None if the first
        can't be read yet.
        """
        rows = store.stream_rows(aside.checkout_id, aside.version - 1, limit, within=True)
        messages: list[ProducerRecord] = []
        for version, row in enumerate(rows, aside.version):
            if row.version != version or row.position > position:
                break
            try:
                messages.append(event_message(topic, row))
            except UnreadableEvent:
                break
        rest = rows[len(messages) :]
        version = aside.version + len(messages)
        is_whole = len(rows) < limit and (not rest or rest[0].version == version)
        # A row that was deleted and inserted again has a later position than those that follow it.
        if rows and is_whole and all(row.position > position for row in rest):
            return cls(messages, aside.remove(), is_complete=True)
        if not messages:
            return None
        following = rest[0].position if rest else rows[-1].position
        moved = replace(aside, version=version, position=following)
        return cls(messages, moved.put(), is_complete=False)
