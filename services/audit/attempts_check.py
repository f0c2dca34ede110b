"""Finds running payments that no worker and no operator will ever end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.checkout import Checkout
from services.audit.violations import Violation
from services.event_store import AttemptState, EventStore

_WAITING = (AttemptState.OPEN, AttemptState.BY_HAND)


def lost_payments(store: EventStore, checkouts: Iterable[Checkout]) -> Iterator[Violation]:
    """Each of these checkouts whose payment runs without a waiting attempt."""
    for checkout in checkouts:
        # An event of a later build may have ended the payment.
        if checkout.unknown_topic or checkout.attempt is None:
            continue
        if _waits(store, checkout.attempt.attempt_id):
            continue
        # It may have ended since it was read.
        now = store.current([checkout.id]).get(checkout.id)
        if now and now.attempt == checkout.attempt:
            what = f"its payment runs, and attempt {checkout.attempt.attempt_id} waits for nobody"
            yield Violation(what, checkout.id, checkout.version)


def _waits(store: EventStore, attempt_id: str) -> bool:
    attempt = store.attempts.get(attempt_id)
    return attempt is not None and attempt.state in _WAITING
