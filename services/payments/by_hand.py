"""Settling a payment attempt by hand, once somebody has looked at what the provider knows of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from domain.commands import RecordDecline, RecordPayment
from domain.events import Metadata
from domain.merchant import MerchantBook
from services.handler import Accepted, Handler, Rejected
from services.handler.payments import Seal
from services.payments.settling import ended_otherwise, settlement
from services.store import Attempt, AttemptState, EventStore


class CannotResolve(Exception):
    """Why an attempt can't be settled by hand now."""


def waiting_attempt(store: EventStore, attempt_id: str, now: float | None = None) -> Attempt:
    """An attempt that somebody may settle. Raises `CannotResolve`."""
    attempt = store.attempts.get(attempt_id)
    if attempt is None:
        raise CannotResolve(f"there is no payment attempt {attempt_id}")
    if attempt.state not in (AttemptState.OPEN, AttemptState.BY_HAND):
        raise CannotResolve(f"{attempt_id} is {attempt.state}: there is nothing to settle")
    if attempt.payment_id is not None:
        raise CannotResolve(
            f"{attempt_id} is settled already, and {attempt.payment_id} came after that: "
            "give it back at the provider, and say so with --refunded"
        )
    left = attempt.lease_until - (time.time() if now is None else now)
    if attempt.lease_owner and left > 0:
        raise CannotResolve(
            f"a worker is asking the provider about {attempt_id} now; try again in {left:.0f} s"
        )
    return attempt


def resolve(
    store: EventStore,
    book: MerchantBook,
    now: Callable[[], datetime],
    seal: Seal,
    ask: RecordPayment | RecordDecline,
    resolver: str,
) -> int:
    """Settle an attempt as a worker would, in the resolver's name; returns the checkout's version.

    Its events name the complete that started the payment, and who resolved it. Raises `CannotResolve`.
    """
    attempt = waiting_attempt(store, ask.attempt_id)
    metadata = Metadata.model_validate_json(attempt.metadata).model_copy(update={"actor": resolver})
    [answer] = Handler(store, book, now, seal).handle([settlement(attempt, metadata, ask)])
    if ended_otherwise(answer):
        raise CannotResolve(
            f"{ask.attempt_id} ended otherwise meanwhile; see the checkout's events"
        )
    match answer:
        case Accepted():
            return answer.view.version
        case Rejected():
            raise CannotResolve(answer.refusal.message)
        case _:
            raise CannotResolve("something went wrong here; nothing was recorded")
