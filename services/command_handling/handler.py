"""`handle(batch)`: find repeats, load, decide in order, append in one transaction, answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.checkout import Checkout, fold, next_time
from domain.decide import decide
from domain.events import RecordedEvent, record
from domain.merchant_book import MerchantBook
from domain.rejection import Rejection, RejectionCode
from services.command_handling.answers import Accepted, Answer, Expired, Rejected
from services.command_handling.checkout_cache import CachedCheckout, CheckoutCache
from services.command_handling.command_envelope import CommandEnvelope
from services.command_handling.payment_rows import Seal, attempts_in, closures_in, tells_of
from services.event_store import Attempt, AttemptClosure, Conflict, EventStore, Outcome, ReadResult
from services.event_store.recorder import StreamRange
from services.runtime.metrics import APPEND_SECONDS, DECIDE_SECONDS

_MAX_CONFLICTS = 100
"""More conflicts in a row than any number of rivals explains: a fault, to be found by halving."""

_CONFLICTING = Rejection(
    RejectionCode.IDEMPOTENCY_CONFLICT, "this identity was used before for another command"
)


class Handler:
    """Decides on commands. One thread uses it; other processes may write the same checkouts."""

    def __init__(
        self,
        store: EventStore,
        book: MerchantBook,
        now: Callable[[], datetime],
        seal: Seal,
    ) -> None:
        self._store = store
        self._book = book
        self._now = now
        self._seal = seal
        self._cache = CheckoutCache()

    def handle(self, batch: Sequence[CommandEnvelope]) -> list[Answer]:
        """An answer for each envelope, in their order.

        Raises `StoreUnavailable` when the database fails, and then it is unknown whether the batch
        was recorded: `forget`, and call again with the same batch: what was recorded is found.
        """
        for _ in range(_MAX_CONFLICTS):
            work = self._begin(batch)
            with DECIDE_SECONDS.time():
                for envelope in batch:
                    work.answer(envelope)
            try:
                work.commit()
            except Conflict:
                continue
            for known in work.known():
                self._cache.keep(known)
            return work.answers
        raise RuntimeError(f"{_MAX_CONFLICTS} conflicts in a row")

    def version(self, checkout_id: str) -> int:
        """The version that a checkout is at, told without a look at its events."""
        return self._store.version(checkout_id)

    def forget(self) -> None:
        """Drop what is cached, so that the next read shows all that was recorded meanwhile."""
        self._cache.clear()

    def _begin(self, batch: Sequence[CommandEnvelope]) -> _Batch:
        """One read for the whole batch: outcomes, and the cached checkouts' last event and on."""
        cached = {s.checkout_id: self._cache.get(s.checkout_id) for s in batch}
        ranges = [
            StreamRange(checkout_id, known.last.version - 1 if known else 0)
            for checkout_id, known in cached.items()
        ]
        found = self._store.read([s.key for s in batch if s.remembered], ranges)
        work = _Batch(self._store, self._book, self._now(), self._seal, found)
        for checkout_id, known in cached.items():
            stream = found.streams.get(checkout_id, ())
            if known is None:
                work.take(checkout_id, fold(stream), stream)
            elif known.still_holds(stream):
                work.take(checkout_id, fold(stream[1:], known.checkout), stream)
            else:
                self._cache.drop(checkout_id)
                return self._begin(batch)
        return work


@dataclass
class _Batch:
    """The work on one batch: its checkouts as they become, and what is to be written."""

    store: EventStore
    book: MerchantBook
    now: datetime
    seal: Seal
    found: ReadResult
    checkouts: dict[str, Checkout | None] = field(default_factory=dict)
    last: dict[str, RecordedEvent] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    events: list[RecordedEvent] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    closures: list[AttemptClosure] = field(default_factory=list)
    first_answers: dict[str, Answer] = field(default_factory=dict)

    def take(
        self, checkout_id: str, checkout: Checkout | None, stream: Sequence[RecordedEvent]
    ) -> None:
        """Begin with a checkout as the store has it."""
        self.checkouts[checkout_id] = checkout
        if stream:
            self.last[checkout_id] = stream[-1]

    def known(self) -> list[CachedCheckout]:
        """The checkouts as the batch leaves them."""
        return [
            CachedCheckout(checkout, self.last[checkout_id])
            for checkout_id, checkout in self.checkouts.items()
            if checkout
        ]

    def answer(self, envelope: CommandEnvelope) -> None:
        """Answer the next envelope of the batch."""
        self.answers.append(self._repeat(envelope) or self._first(envelope))

    def commit(self) -> None:
        """Write events and outcomes in one transaction. Raises `Conflict`."""
        if self.events or self.outcomes:
            with APPEND_SECONDS.time():
                outcomes = list(self.outcomes.values())
                self.store.append(self.events, outcomes, self.attempts, self.closures)

    def _repeat(self, envelope: CommandEnvelope) -> Answer | None:
        """The first answer again, if this command was handled before."""
        if not envelope.remembered:
            return self._recorded_unnoticed(envelope)
        outcome = self.outcomes.get(envelope.key) or self.found.outcomes.get(envelope.key)
        if outcome is None:
            return None
        if outcome.fingerprint != envelope.fingerprint:
            return Rejected(_CONFLICTING)
        if outcome.rejection:
            return Rejected(outcome.rejection, repeated=True)
        first = self.first_answers.get(envelope.key)
        if isinstance(first, Accepted):
            return replace(first, repeated=True)
        return self._as_of(outcome.checkout_id, outcome.version)

    def _recorded_unnoticed(self, envelope: CommandEnvelope) -> Answer | None:
        """The answer to a command without an outcome whose commit succeeded as its connection was
        lost: its events are there.
        """
        versions = [
            recorded.version
            for recorded in self.found.streams.get(envelope.checkout_id, ())
            if recorded.metadata.command_id == envelope.command_id
            and recorded.metadata.command_source == envelope.source
            and recorded.metadata.channel == envelope.channel
            and tells_of(recorded.event, envelope.command)
        ]
        return self._as_of(envelope.checkout_id, versions[-1]) if versions else None

    def _as_of(self, checkout_id: str, version: int) -> Accepted:
        checkout = self.checkouts.get(checkout_id)
        if checkout is None or checkout.version != version:
            checkout = self.store.load([StreamRange(checkout_id, 0, version)])[checkout_id]
        return Accepted.of(checkout, repeated=True)

    def _first(self, envelope: CommandEnvelope) -> Answer:
        if envelope.expires_at is not None and time.monotonic() > envelope.expires_at:
            return Expired()
        try:
            checkout = self._decide(envelope)
        except Rejection as rejection:
            self._keep(envelope, 0, rejection)
            return Rejected(rejection)
        self._keep(envelope, checkout.version, None)
        answer = Accepted.of(checkout)
        self.first_answers[envelope.key] = answer
        return answer

    def _decide(self, envelope: CommandEnvelope) -> Checkout:
        """Carry the command out on the batch's state. Raises `Rejection`."""
        if isinstance(envelope.command, Rejection):
            raise envelope.command
        before = self.checkouts[envelope.checkout_id]
        expected, key = envelope.expected_version, envelope.key
        decided = decide(before, envelope.command, self.book, expected, key)
        events = record(
            envelope.checkout_id,
            before.version if before else 0,
            next_time(before, self.now),
            decided,
            envelope.metadata,
        )
        after = fold(events, before)
        if after is None:
            raise RuntimeError(f"{envelope.command.NAME} opened no checkout")
        self.checkouts[envelope.checkout_id] = after
        self.events.extend(events)
        now = self.now.timestamp()
        self.attempts += attempts_in(envelope, events, self.seal, now)
        self.closures += closures_in(envelope, events, int(now))
        if events:
            self.last[envelope.checkout_id] = events[-1]
        return after

    def _keep(self, envelope: CommandEnvelope, version: int, rejection: Rejection | None) -> None:
        if envelope.remembered:
            self.outcomes[envelope.key] = Outcome(
                key=envelope.key,
                fingerprint=envelope.fingerprint,
                checkout_id=envelope.checkout_id,
                version=version,
                rejection=rejection,
                recorded_at=int(self.now.timestamp()),
            )
