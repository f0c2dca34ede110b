"""Manual resolution of a payment attempt, after an operator has looked it up at the provider."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from domain.commands import RecordDecline, RecordPayment
from domain.events import Metadata
from domain.merchant_book import MerchantBook
from services.command_handling import Accepted, Handler
from services.event_store import Attempt, AttemptState, EventStore
from services.event_store.side_row_encoder import side_row_encoder
from services.payment_worker.outcome_command import outcome_command, was_already_closed


class CannotResolve(Exception):
    """Why an attempt can't be resolved now."""


def hold(store: EventStore, attempt_id: str) -> None:
    """Take an attempt from the workers, so that none calls the provider. Raises `CannotResolve`."""
    attempt = _attempt(store, attempt_id)
    if attempt.state == AttemptState.BY_HAND:
        return
    if attempt.state != AttemptState.OPEN:
        raise CannotResolve(f"{attempt_id} is {attempt.state}: no worker calls the provider for it")
    if not store.attempts.hold(attempt_id, time.time()):
        left = max(1.0, attempt.lease_until - time.time())
        raise CannotResolve(
            f"a worker is calling the provider for {attempt_id} now; try again in {left:.0f} s"
        )


def ask_again(store: EventStore, attempt_id: str) -> None:
    """Return an attempt to the workers. Raises `CannotResolve`."""
    attempt = _attempt(store, attempt_id)
    if not store.attempts.ask_again(attempt_id, time.time()):
        raise CannotResolve(f"{attempt_id} is {attempt.state}: there is no call to repeat")


def refunded(store: EventStore, attempt_id: str) -> None:
    """Record that a late payment was refunded. Raises `CannotResolve`."""
    if not store.attempts.refunded(attempt_id):
        raise CannotResolve(f"{attempt_id} has no payment to refund")


def resolve(
    store: EventStore,
    book: MerchantBook,
    now: Callable[[], datetime],
    command: RecordPayment | RecordDecline,
    resolver: str,
) -> int:
    """End a held attempt as a worker would, with the resolver as actor. Returns the checkout's version.

    The events name the complete that started the payment. Raises `CannotResolve`.
    """
    attempt = _attempt(store, command.attempt_id)
    if attempt.state == AttemptState.OPEN:
        raise CannotResolve(
            f"workers still call the provider for {command.attempt_id}: take it from them with --hold, "
            "look it up at the provider, and then resolve it"
        )
    if attempt.state != AttemptState.BY_HAND:
        raise CannotResolve(f"{command.attempt_id} is {attempt.state}: there is nothing to resolve")
    # Not `sealed is None`: an attempt that a restore imported has no token, and its payment still runs.
    if attempt.payment_id is not None:
        raise CannotResolve(
            f"{command.attempt_id} has already ended, and {attempt.payment_id} came later: "
            "refund it at the provider, then record that with --refunded"
        )
    started_by = Metadata.model_validate_json(attempt.metadata, extra="ignore")
    metadata = started_by.model_copy(update={"actor": resolver})
    handler = Handler(store, book, now, side_row_encoder())
    [answer] = handler.handle([outcome_command(attempt, metadata, command)])
    if was_already_closed(answer):
        raise CannotResolve(
            f"{command.attempt_id} ended otherwise meanwhile; see the checkout's events"
        )
    if not isinstance(answer, Accepted):
        raise CannotResolve("something went wrong here; nothing was recorded")
    return answer.view.version


def _attempt(store: EventStore, attempt_id: str) -> Attempt:
    attempt = store.attempts.get(attempt_id)
    if attempt is None:
        raise CannotResolve(f"there is no payment attempt {attempt_id}")
    return attempt
