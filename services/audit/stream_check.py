"""Checks one stream against the rules, event by event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from domain.checkout import BrokenStream, Checkout, UnknownBeginning, evolve
from domain.events import (
    CheckoutPriced,
    Event,
    FulfillmentAddressUpdated,
    ItemsUpdated,
    PaymentStartedV2,
    RecordedEvent,
    UnknownEvent,
)
from domain.payment import attempt_id_of
from services.audit.amounts_check import sums_of_checkout, sums_of_event, sums_of_payment
from services.audit.violations import Violation
from services.messages.rfc3339 import format_rfc3339

_PRICING = (ItemsUpdated, FulfillmentAddressUpdated, CheckoutPriced)


class StreamCheck:
    """Takes the events of a stream in order, and keeps its state as long as it is whole."""

    def __init__(self, checkout_id: str) -> None:
        self.checkout_id = checkout_id
        self.state: Checkout | None = None
        self._version = 0
        self._is_whole = True
        self._at: datetime | None = None
        self._command: tuple[str, ...] = ()
        self._priced: int | None = None
        self._paid_for = 0

    @property
    def whole(self) -> Checkout | None:
        """The checkout that the stream folds to; None if it can't be folded."""
        return self.state if self._is_whole else None

    def take(self, version: int, recorded: RecordedEvent | str) -> Iterator[Violation]:
        """The violations of the next event; a string is the reason why it can't be read."""
        if version != self._version + 1:
            self._is_whole = False
            gap = version - self._version - 1
            missing = f"{gap} event{'s are' if gap > 1 else ' is'} missing"
            yield self._violation(version, f"follows version {self._version}: {missing}")
        self._version = version
        if isinstance(recorded, str):
            self._is_whole = False
            yield self._violation(version, recorded)
            return
        if self._at and recorded.at < self._at:
            at, before = format_rfc3339(recorded.at), format_rfc3339(self._at)
            what = f"its time {at} is before {before}, the one before it"
            yield self._violation(version, what)
        self._at = recorded.at
        for what in sums_of_event(recorded.event):
            yield self._violation(version, what)
        yield from self._fold(recorded)

    def end(self) -> Iterator[Violation]:
        """The violations of the totals that the last command left, after its last event."""
        priced, self._priced = self._priced, None
        if self._is_whole and self.state and priced and not self.state.unknown_topic:
            for what in sums_of_checkout(self.state):
                yield self._violation(priced, what)

    def _fold(self, recorded: RecordedEvent) -> Iterator[Violation]:
        by = recorded.metadata
        command = (by.channel, by.command_source, by.command_id)
        if command != self._command:
            # Within one command's events the totals may lag behind; after its last event they may
            # not.
            yield from self.end()
            self._paid_for = self.state.version if self.state else 0
        self._command = command
        if not self._is_whole:
            return
        before = self.state
        try:
            self.state = evolve(before, recorded)
        except UnknownBeginning:
            self._is_whole = False
            return
        except BrokenStream as error:
            self._is_whole = False
            yield self._violation(recorded.version, f"can't follow the events before it: {error}")
            return
        if isinstance(recorded.event, _PRICING):
            self._priced = recorded.version
        if what := self._attempt_id_problem(recorded.event):
            yield self._violation(recorded.version, what)
        if before and not self.state.unknown_topic:
            for what in sums_of_payment(before, recorded.event, self.state):
                yield self._violation(recorded.version, what)

    def _attempt_id_problem(self, event: Event | UnknownEvent) -> str | None:
        """An attempt's id is the provider's idempotency key: another one could charge a second time."""
        if not isinstance(event, PaymentStartedV2):
            return None
        expected = attempt_id_of(event.lineage, self.checkout_id, self._paid_for)
        if event.attempt_id == expected:
            return None
        return f"attempt {event.attempt_id} should be {expected}"

    def _violation(self, version: int, what: str) -> Violation:
        return Violation(what, self.checkout_id, version)
