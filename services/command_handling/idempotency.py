"""Looks up whether a command was handled before, and rebuilds its first answer."""

from __future__ import annotations

from dataclasses import replace

from domain.rejection import Rejection, idempotency_conflict
from projections.registry import render_view
from services.command_handling.answers import Accepted, Answer, Rejected
from services.command_handling.command_envelope import CommandEnvelope
from services.command_handling.unit_of_work import UnitOfWork
from services.event_store import EventStore, ReadResult
from services.event_store.outcomes import UNKNOWN_FINGERPRINT
from services.event_store.recorder import StreamRange


class Idempotency:
    """The commands handled before: those found in the store, and those earlier in the same batch."""

    def __init__(self, store: EventStore, found: ReadResult, work: UnitOfWork) -> None:
        self._store = store
        self._found = found
        self._work = work
        self._answers: dict[str, Answer] = {}

    def remember_answer(self, envelope: CommandEnvelope, answer: Answer) -> None:
        """Keep the first answer to a command, for repeats in the same batch."""
        self._answers[envelope.key] = answer

    def replay_of(self, envelope: CommandEnvelope) -> Answer | None:
        """The first answer again if the command was handled before, else None."""
        if not envelope.remembered:
            return self._committed_before_connection_loss(envelope)
        outcome = self._work.outcomes.get(envelope.key) or self._found.outcomes.get(envelope.key)
        if outcome is None:
            return None
        if outcome.fingerprint not in (UNKNOWN_FINGERPRINT, envelope.fingerprint):
            return Rejected(idempotency_conflict())
        if outcome.rejection:
            return Rejected(outcome.rejection, repeated=True)
        first = self._answers.get(envelope.key)
        if isinstance(first, Accepted):
            return replace(first, repeated=True)
        return self._accepted_at(outcome.checkout_id, outcome.version)

    def _committed_before_connection_loss(self, envelope: CommandEnvelope) -> Answer | None:
        """The answer to a command that leaves no outcome but whose events are in the store: its commit
        succeeded although the connection was lost.
        """
        command = envelope.command
        if isinstance(command, Rejection):
            return None
        versions = [
            recorded.version
            for recorded in self._found.streams.get(envelope.checkout_id, ())
            if recorded.metadata.command_id == envelope.command_id
            and recorded.metadata.command_source == envelope.source
            and recorded.metadata.channel == envelope.channel
            and command.led_to(recorded.event)
        ]
        return self._accepted_at(envelope.checkout_id, versions[-1]) if versions else None

    def _accepted_at(self, checkout_id: str, version: int) -> Accepted:
        epoch = self._work.lineage.epoch
        current = self._work.checkouts.get(checkout_id)
        if current is None:
            current = self._store.current([checkout_id])[checkout_id]
        if current.version == version:
            return Accepted.of(current, epoch, repeated=True)
        then = self._store.load([StreamRange(checkout_id, 0, version)])[checkout_id]
        first = Accepted.of(then, epoch, repeated=True)
        return replace(first, current=render_view(current, epoch))
