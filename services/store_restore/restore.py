"""After a restore or a failover with loss: stops writes, imports what Kafka has and the store has not, and
starts a new epoch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from eventsourcing.persistence import StoredEvent

from services.event_store import EventStore, Outcome
from services.event_store.publication import Publication, PublishedEvent
from services.kafka.connection import KafkaConnection
from services.kafka.topic_reader import bounds_of, records_of
from services.store_restore.comparison import Comparison, Progress
from services.store_restore.lost_events import LostEvents
from services.store_restore.published_event import NotAnEvent, stored_event_of
from services.store_restore.report import Difference, Imported, Report
from services.store_restore.side_effects import PaymentRows, outcomes_of, readable

REASON = "the event store was restored: writes wait until `checkout store restored` has finished"

_BATCH = 500


class Restore:
    """One run. It can be interrupted at any point and started again; writes stay stopped until a run has
    finished.

    `is_lossless` is the operator's word that every commit is in the store. It is only believed if Kafka
    shows nothing else.
    """

    def __init__(
        self,
        store: EventStore,
        connection: KafkaConnection,
        topic: str,
        progress: Progress,
        *,
        is_lossless: bool = False,
    ) -> None:
        self._store = store
        self._connection = connection
        self._topic = topic
        self._progress = progress
        self._is_lossless = is_lossless
        self._imported: dict[str, Imported] = {}
        self._payments = PaymentRows(store)
        self.report = Report()

    async def run(self) -> Report:
        """Do all of it. Raises `StoreUnavailable` and `KafkaUnavailable`."""
        await bounds_of(self._connection, self._topic)  # Before writes are stopped: is Kafka there?
        if await asyncio.to_thread(self._store.write_guard.reason) == REASON:
            # A run was interrupted, which may have imported something.
            self._is_lossless = False
        await asyncio.to_thread(self._store.write_guard.stop, REASON)
        bounds = await bounds_of(self._connection, self._topic)
        ends = {number: end for number, (_, end) in bounds.items()}
        comparison, lost = Comparison(self._store, self._topic, self._progress), LostEvents()
        try:
            total = sum(end - begin for begin, end in bounds.values())
            await comparison.read_topic(self._connection, total)
            is_trimmed = any(begin for begin, _ in bounds.values())
            published = await asyncio.to_thread(self._published) if is_trimmed else 0
            await asyncio.to_thread(comparison.read_store, published)
            await asyncio.to_thread(self._choose, comparison, lost)
            await self._fetch(lost)
            await asyncio.to_thread(self._append, lost)
        finally:
            comparison.close()
            lost.close()
        await asyncio.to_thread(self._finish, comparison.first_unpublished, ends)
        return self.report

    def _published(self) -> int:
        """The position up to which events were published, and may have been trimmed; 0 if not certain."""
        last = self._store.publication.read().last
        if last is None:
            return 0
        return last.position if self._event_at(last.position) == last else 0

    def _event_at(self, position: int) -> PublishedEvent | None:
        row = next(iter(self._store.rows(position - 1, 1)), None)
        if row is None or row.position != position:
            return None
        return PublishedEvent(position, row.checkout_id, row.version)

    def _choose(self, comparison: Comparison, lost: LostEvents) -> None:
        self.report.differences += comparison.differences()
        for _, copies, difference in comparison.lost():
            for copy in copies:
                lost.want(copy.partition, copy.offset)
            if difference:
                self.report.differences.append(difference)

    async def _fetch(self, lost: LostEvents) -> None:
        """Read the records of the lost events."""
        starts = lost.starts()
        if not starts:
            return
        async for record in records_of(self._connection, self._topic, starts):
            if not lost.is_wanted(record.partition, record.offset):
                continue
            try:
                lost.add(*stored_event_of(record))
            except NotAnEvent as error:
                headers = dict(record.headers)
                place = f"{self._topic} {record.partition}:{record.offset}"
                what = f"on {place} was not imported, nor are later ones: {error}"
                checkout_id, version = headers["ce_subject"].decode(), int(headers["ce_sequence"])
                self.report.differences.append(Difference(checkout_id, version, what))

    def _append(self, lost: LostEvents) -> None:
        """Write the lost events, each command's in one transaction."""
        batch: list[StoredEvent] = []
        for events in lost.commands():
            batch += self._continuing(events)
            if len(batch) >= _BATCH:
                self._write(batch)
                batch = []
        self._write(batch)
        self.report.imported += self._imported.values()

    def _continuing(self, events: Sequence[StoredEvent]) -> Iterator[StoredEvent]:
        """Those that follow the last version that the store has, or will have after the batch."""
        for event in events:
            checkout_id, version = str(event.originator_id), event.originator_version
            known = self._imported.get(checkout_id)
            last = known.last if known else self._store.version(checkout_id)
            if version == last + 1:
                self._imported[checkout_id] = Imported(
                    checkout_id, known.first if known else version, version
                )
                yield event

    def _write(self, batch: Sequence[StoredEvent]) -> None:
        if not batch:
            return
        events = readable(batch)
        outcomes = self._unknown(outcomes_of(events))
        self._store.append_imported(batch, outcomes, list(self._payments.of(events)))
        self.report.events += len(batch)
        self.report.outcomes += len(outcomes)
        self._progress("Events imported", self.report.events, None)

    def _unknown(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        """The outcomes that the store has not, the last one of each command."""
        by_key = {outcome.key: outcome for outcome in outcomes}
        known = self._store.read(list(by_key), ()).outcomes
        return [outcome for key, outcome in by_key.items() if key not in known]

    def _finish(self, first_unpublished: int | None, ends: dict[int, int]) -> None:
        newest = self._store.newest()
        position = newest if first_unpublished is None else first_unpublished - 1
        last = self._event_at(position)
        is_intact = self._is_lossless and not (self.report.events or self.report.differences)
        lineage = self._store.write_guard.release(
            Publication(position, last, self._topic, ends), begin_epoch=not is_intact
        )
        self.report.position = position
        self.report.set_epoch(lineage, is_new=not is_intact)
