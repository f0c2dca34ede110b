"""What was written beside lost events: outcomes of commands and payment attempts, as far as the events
say it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

import orjson
from eventsourcing.persistence import StoredEvent

from domain.events import (
    Channel,
    CheckoutCompleted,
    Metadata,
    PaymentDeclined,
    PaymentStarted,
    RecordedEvent,
)
from domain.payment import rejection_of
from services.command_handling.command_envelope import outcome_key
from services.event_store import Attempt, AttemptClosure, AttemptState, EventStore, Outcome
from services.event_store.event_mapper import PydanticMapper, UnreadableEvent
from services.event_store.outcomes import UNKNOWN_FINGERPRINT
from services.event_store.recorder import StoredSideRow

_MAPPER = PydanticMapper()
_NOTE = "imported from Kafka without the payment's token: look for the payment at the provider"


def readable(events: Iterable[StoredEvent]) -> list[RecordedEvent]:
    """The events that this build can read."""
    found = []
    for event in events:
        try:
            found.append(_MAPPER.to_domain_event(event))
        except UnreadableEvent:
            continue
    return found


def outcomes_of(events: Sequence[RecordedEvent]) -> Iterator[Outcome]:
    """The outcome of each command that recorded some of these events, so that a repeat finds it.

    The end of a payment left none, and neither did a request without an `Idempotency-Key`; the id of such
    a request is random, so an outcome more does no harm.
    """
    groups = itertools.groupby(events, lambda event: (event.checkout_id, event.metadata))
    for (checkout_id, metadata), group in groups:
        last = list(group)[-1]
        if metadata.channel is not Channel.INTERNAL:
            yield Outcome(
                key=_key(metadata),
                fingerprint=UNKNOWN_FINGERPRINT,
                checkout_id=checkout_id,
                version=last.version,
                rejection=None,
                recorded_at=int(last.at.timestamp()),
            )


class PaymentRows:
    """Opens and closes the attempts of imported payments.

    The buyer's token is not on Kafka. So a payment whose end is not known either needs manual resolution.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._running: dict[str, str] = {}

    def of(self, events: Sequence[RecordedEvent]) -> Iterator[StoredSideRow]:
        """The rows of these events, to be written with them."""
        for recorded in events:
            event = recorded.event
            if isinstance(event, PaymentStarted):
                self._running[recorded.checkout_id] = event.attempt_id
                yield _attempt(recorded, event)
            elif isinstance(event, PaymentDeclined | CheckoutCompleted):
                attempt_id = self._attempt_of(recorded.checkout_id)
                paid = event.payment.id if isinstance(event, CheckoutCompleted) else None
                if attempt_id:
                    yield AttemptClosure(
                        attempt_id,
                        recorded.version,
                        rejection_of(event),
                        paid,
                        int(recorded.at.timestamp()),
                    )

    def _attempt_of(self, checkout_id: str) -> str | None:
        """The running attempt: one that was imported, or one that the store still has."""
        imported = self._running.pop(checkout_id, None)
        if imported:
            return imported
        checkout = self._store.current([checkout_id]).get(checkout_id)
        return checkout.attempt.attempt_id if checkout and checkout.attempt else None


def _attempt(recorded: RecordedEvent, started: PaymentStarted) -> Attempt:
    return Attempt(
        attempt_id=started.attempt_id,
        checkout_id=recorded.checkout_id,
        command_key=_key(recorded.metadata),
        amount=started.amount,
        currency=started.currency,
        provider=started.provider,
        metadata=orjson.dumps(recorded.metadata.model_dump()).decode(),
        sealed=None,
        started_at=recorded.at.timestamp(),
        state=AttemptState.BY_HAND,
        due_at=recorded.at.timestamp(),
        note=_NOTE,
    )


def _key(metadata: Metadata) -> str:
    return outcome_key(metadata.channel, metadata.command_source, metadata.command_id)
