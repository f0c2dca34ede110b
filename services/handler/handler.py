"""`handle(batch)`: find repeats, load, decide in order, append in one transaction, answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.checkout import Checkout, fold, next_time
from domain.decisions import decide
from domain.events import RecordedEvent, record
from domain.merchant import MerchantBook
from domain.refusals import RefusalCode, Refused
from services.handler.answers import Accepted, Answer, Expired, Rejected
from services.handler.cache import CheckoutCache, Known
from services.handler.payments import Seal, attempts_in, settlements_in, tells_of
from services.handler.submission import Submission
from services.metrics import APPEND_SECONDS, DECIDE_SECONDS
from services.store import Attempt, Conflict, EventStore, Outcome, Settlement, Snapshot
from services.store.recorder import StreamRange

_MAX_CONFLICTS = 100
"""More conflicts in a row than any number of rivals explains: a fault, to be found by halving."""

_CONFLICTING = Refused(
    RefusalCode.IDEMPOTENCY_CONFLICT, "this identity was used before for another command"
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

    def handle(self, batch: Sequence[Submission]) -> list[Answer]:
        """An answer for each submission, in their order.

        Raises `StoreUnavailable` when the database fails, and then it is unknown whether the batch
        was recorded: `forget`, and call again with the same batch: what was recorded is found.
        """
        for _ in range(_MAX_CONFLICTS):
            work = self._begin(batch)
            with DECIDE_SECONDS.time():
                for submission in batch:
                    work.answer(submission)
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

    def _begin(self, batch: Sequence[Submission]) -> _Batch:
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
    found: Snapshot
    checkouts: dict[str, Checkout | None] = field(default_factory=dict)
    last: dict[str, RecordedEvent] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    events: list[RecordedEvent] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    first_answers: dict[str, Answer] = field(default_factory=dict)

    def take(
        self, checkout_id: str, checkout: Checkout | None, stream: Sequence[RecordedEvent]
    ) -> None:
        """Begin with a checkout as the store has it."""
        self.checkouts[checkout_id] = checkout
        if stream:
            self.last[checkout_id] = stream[-1]

    def known(self) -> list[Known]:
        """The checkouts as the batch leaves them."""
        return [
            Known(checkout, self.last[checkout_id])
            for checkout_id, checkout in self.checkouts.items()
            if checkout
        ]

    def answer(self, submission: Submission) -> None:
        """Answer the next submission of the batch."""
        self.answers.append(self._repeat(submission) or self._first(submission))

    def commit(self) -> None:
        """Write events and outcomes in one transaction. Raises `Conflict`."""
        if self.events or self.outcomes:
            with APPEND_SECONDS.time():
                outcomes = list(self.outcomes.values())
                self.store.append(self.events, outcomes, self.attempts, self.settlements)

    def _repeat(self, submission: Submission) -> Answer | None:
        """The first answer again, if this command was handled before."""
        if not submission.remembered:
            return self._recorded_unnoticed(submission)
        outcome = self.outcomes.get(submission.key) or self.found.outcomes.get(submission.key)
        if outcome is None:
            return None
        if outcome.fingerprint != submission.fingerprint:
            return Rejected(_CONFLICTING)
        if outcome.refusal:
            return Rejected(outcome.refusal, repeated=True)
        first = self.first_answers.get(submission.key)
        if isinstance(first, Accepted):
            return replace(first, repeated=True)
        return self._as_of(outcome.checkout_id, outcome.version)

    def _recorded_unnoticed(self, submission: Submission) -> Answer | None:
        """The answer to a command without an outcome whose commit succeeded as its connection was
        lost: its events are there.
        """
        versions = [
            recorded.version
            for recorded in self.found.streams.get(submission.checkout_id, ())
            if recorded.metadata.command_id == submission.command_id
            and recorded.metadata.command_source == submission.source
            and recorded.metadata.door == submission.door
            and tells_of(recorded.event, submission.ask)
        ]
        return self._as_of(submission.checkout_id, versions[-1]) if versions else None

    def _as_of(self, checkout_id: str, version: int) -> Accepted:
        checkout = self.checkouts.get(checkout_id)
        if checkout is None or checkout.version != version:
            checkout = self.store.load([StreamRange(checkout_id, 0, version)])[checkout_id]
        return Accepted.of(checkout, repeated=True)

    def _first(self, submission: Submission) -> Answer:
        if submission.expires_at is not None and time.monotonic() > submission.expires_at:
            return Expired()
        try:
            checkout = self._decide(submission)
        except Refused as refusal:
            self._keep(submission, 0, refusal)
            return Rejected(refusal)
        self._keep(submission, checkout.version, None)
        answer = Accepted.of(checkout)
        self.first_answers[submission.key] = answer
        return answer

    def _decide(self, submission: Submission) -> Checkout:
        """Carry the command out on the batch's state. Raises `Refused`."""
        if isinstance(submission.ask, Refused):
            raise submission.ask
        before = self.checkouts[submission.checkout_id]
        expected, key = submission.expected_version, submission.key
        decided = decide(before, submission.ask, self.book, expected, key)
        events = record(
            submission.checkout_id,
            before.version if before else 0,
            next_time(before, self.now),
            decided,
            submission.metadata,
        )
        after = fold(events, before)
        if after is None:
            raise RuntimeError(f"{submission.ask.NAME} opened no checkout")
        self.checkouts[submission.checkout_id] = after
        self.events.extend(events)
        now = self.now.timestamp()
        self.attempts += attempts_in(submission, events, self.seal, now)
        self.settlements += settlements_in(submission, events, int(now))
        if events:
            self.last[submission.checkout_id] = events[-1]
        return after

    def _keep(self, submission: Submission, version: int, refusal: Refused | None) -> None:
        if submission.remembered:
            self.outcomes[submission.key] = Outcome(
                key=submission.key,
                fingerprint=submission.fingerprint,
                checkout_id=submission.checkout_id,
                version=version,
                refusal=refusal,
                recorded_at=int(self.now.timestamp()),
            )
