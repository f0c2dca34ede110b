"""`handle(batch)`: look up repeats, decide in order, append in one transaction, answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from domain.checkout import Checkout, UnknownBeginning, fold, next_time
from domain.decide import decide
from domain.decision import Decision
from domain.events import record
from domain.merchant_book import MerchantBook
from domain.rejection import Rejection, of_later_build
from services.command_handling.answers import Accepted, Answer, Expired, Rejected
from services.command_handling.checkout_cache import CheckoutCache
from services.command_handling.command_envelope import CommandEnvelope
from services.command_handling.idempotency import Idempotency
from services.command_handling.unit_of_work import UnitOfWork
from services.event_store import Conflict, EventStore
from services.event_store.recorder import StoredSideRow, StreamRange
from services.event_store.side_row_encoder import DecidedCommand, SideRowEncoder
from services.runtime.metrics import DECIDE_SECONDS

_MAX_CONFLICTS = 100
"""More conflicts in a row than rival writers can cause: a fault, which halving the batch isolates."""


class Handler:
    """Decides commands. One thread uses it; other processes may write the same checkouts."""

    def __init__(
        self,
        store: EventStore,
        book: MerchantBook,
        now: Callable[[], datetime],
        encode_side_row: SideRowEncoder,
    ) -> None:
        self._store = store
        self._book = book
        self._now = now
        self._encode_side_row = encode_side_row
        self._cache = CheckoutCache()

    def handle(self, batch: Sequence[CommandEnvelope]) -> list[Answer]:
        """An answer for each envelope, in their order.

        Raises `StoreUnavailable` when the database fails; it is then unknown whether the batch was
        recorded. Call `forget`, then `handle` with the same batch: it finds what was recorded.
        """
        for _ in range(_MAX_CONFLICTS):
            work, repeats = self._load(batch)
            with DECIDE_SECONDS.time():
                answers = [self._answer(envelope, work, repeats) for envelope in batch]
            try:
                work.commit(self._store)
            except Conflict:
                continue
            for checkout in work.cacheable():
                self._cache.keep(checkout)
            return answers
        raise RuntimeError(f"{_MAX_CONFLICTS} conflicts in a row")

    def version(self, checkout_id: str) -> int:
        """The version of a checkout, without decoding its events."""
        return self._store.version(checkout_id)

    def forget(self) -> None:
        """Empty the cache, so that the next read finds everything that was recorded meanwhile."""
        self._cache.clear()

    def _load(self, batch: Sequence[CommandEnvelope]) -> tuple[UnitOfWork, Idempotency]:
        """Read outcomes and streams in one round trip: of cached checkouts the last event and later."""
        cached = {e.checkout_id: self._cache.get(e.checkout_id) for e in batch}
        ranges = [
            StreamRange(checkout_id, known.last.version - 1 if known else 0)
            for checkout_id, known in cached.items()
        ]
        lineage = self._store.known_lineage.fresh()
        found = self._store.read([e.key for e in batch if e.remembered], ranges)
        work = UnitOfWork(self._now(), lineage)
        for checkout_id, known in cached.items():
            stream = found.streams.get(checkout_id, ())
            if known is None:
                try:
                    work.load(checkout_id, fold(stream), stream)
                except UnknownBeginning as error:
                    work.unknown_beginnings[checkout_id] = error.topic
            elif known.still_holds(stream):
                work.load(checkout_id, fold(stream[1:], known.checkout), stream)
            else:
                self._cache.drop(checkout_id)
                return self._load(batch)
        return work, Idempotency(self._store, found, work)

    def _answer(self, envelope: CommandEnvelope, work: UnitOfWork, repeats: Idempotency) -> Answer:
        if topic := work.unknown_beginnings.get(envelope.checkout_id):
            return Rejected(of_later_build(topic))
        if repeated := repeats.replay_of(envelope):
            work.has_repeats = True
            return repeated
        return self._handle_new(envelope, work, repeats)

    def _handle_new(
        self, envelope: CommandEnvelope, work: UnitOfWork, repeats: Idempotency
    ) -> Answer:
        if envelope.expires_at is not None and time.monotonic() > envelope.expires_at:
            return Expired()
        try:
            checkout = self._decide(envelope, work)
        except Rejection as rejection:
            if rejection.is_remembered:
                work.remember_outcome(envelope, 0, rejection)
            return Rejected(rejection)
        work.remember_outcome(envelope, checkout.version)
        answer = Accepted.of(checkout, work.lineage.epoch)
        repeats.remember_answer(envelope, answer)
        return answer

    def _decide(self, envelope: CommandEnvelope, work: UnitOfWork) -> Checkout:
        """Decide a command on the checkout as the batch left it so far. Raises `Rejection`."""
        command = envelope.command
        if isinstance(command, Rejection):
            raise command
        before, metadata = work.checkouts[envelope.checkout_id], envelope.metadata
        lineage = work.lineage
        expected = envelope.expected_in(lineage.epoch)
        decision = decide(before, command, self._book, expected, lineage.lineage)
        events = record(
            envelope.checkout_id,
            before.version if before else 0,
            next_time(before, work.now),
            decision.events,
            metadata,
        )
        after = fold(events, before)
        if after is None:
            raise RuntimeError(f"{command.NAME} opened no checkout")
        work.record(after, events, self._side_rows(decision, envelope, after, work))
        return after

    def _side_rows(
        self, decision: Decision, envelope: CommandEnvelope, after: Checkout, work: UnitOfWork
    ) -> Sequence[StoredSideRow]:
        if not decision.side_rows:
            return ()
        decided = DecidedCommand(
            envelope.key, after.id, envelope.metadata, after.version, work.now.timestamp()
        )
        return [self._encode_side_row(row, decided) for row in decision.side_rows]
