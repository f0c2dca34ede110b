"""The work on one leased attempt: call the provider, and pass the result to the handler."""

from __future__ import annotations

import asyncio
import logging
import time

import orjson

from domain.commands import PaymentData, RecordDecline, RecordPayment
from domain.events import Metadata
from domain.values import MAX_TEXT, STORED
from services.command_handling import Accepted, GroupCommitter, Overloaded
from services.event_store import Attempt, AttemptState, EventStore, StoreUnavailable
from services.payment_worker.earlier_payment import earlier_payment
from services.payment_worker.outcome_command import outcome_command, was_already_closed
from services.payment_worker.payment_gateway import (
    Charge,
    Declined,
    Paid,
    PaymentGateway,
    Undecided,
)
from services.runtime.backoff import pauses
from services.runtime.metrics import PAYMENTS
from services.security.token_encryption import DecryptionFailed, TokenKeys, UnknownTokenKey

logger = logging.getLogger("checkout.payments")

_LONGEST_PAUSE = 300.0
_MARGIN_SECONDS = 3_600.0
"""How long before the provider forgets an idempotency key the key is no longer used."""
_LONGEST_RETRY_AFTER = 3_600.0
_KEY_PAUSE = 60.0
_STORE_PAUSE = 1.0


class AttemptProcessor:
    """Calls the provider for an attempt until there is a decisive answer.

    Every call for an attempt has the same idempotency key, so that the provider never acts twice.
    """

    def __init__(
        self,
        store: EventStore,
        writer: GroupCommitter,
        provider: PaymentGateway,
        token_keys: TokenKeys,
    ) -> None:
        self._store = store
        self._writer = writer
        self._provider = provider
        self._token_keys = token_keys
        self.failure: str | None = None
        """Why no charge can be made at all, as of the last call; None if charges can be made."""

    async def do(self, attempt: Attempt) -> None:
        """Finish a leased attempt, or release it until its next call is due."""
        left = attempt.lease_until - time.time()
        if left <= 0:
            # This process was paused since the claim; another worker may have called long ago.
            return
        if self._is_too_old(attempt):
            await self._give_up(attempt, "the provider may have forgotten its idempotency key")
            return
        try:
            async with asyncio.timeout(left):
                if attempt.state == AttemptState.REFUND_DUE:
                    await self._refund(attempt)
                    return
                outcome = await self._outcome(attempt)
        except Undecided as undecided:
            await self._undecided(attempt, undecided)
        except TimeoutError:
            await self._undecided(attempt, Undecided("it did not answer in time"))
        except (UnknownTokenKey, DecryptionFailed) as error:
            general = Undecided(str(error), retry_after=_KEY_PAUSE, is_general=True)
            await self._undecided(attempt, general)
        except StoreUnavailable:
            raise  # Nothing can be recorded; its lease runs out, and another worker takes over.
        except Exception as error:  # noqa: BLE001 - whatever it is, the attempt stays open
            # The error's text may quote the request, and so the token.
            logger.error("attempt %s: %s", attempt.attempt_id, type(error).__name__)
            await self._undecided(attempt, Undecided(f"a fault of ours, {type(error).__name__}"))
        else:
            self.failure = None
            await self._record_outcome(attempt, outcome)

    async def _outcome(self, attempt: Attempt) -> Paid | Declined:
        """The payment that lost history took for the checkout, or else the outcome of a charge."""
        charge = self._charge(attempt)
        earlier = await earlier_payment(attempt, self._store, self._provider)
        if earlier is None:
            return await self._provider.charge(charge)
        facts = attempt.attempt_id, earlier.payment_id
        logger.warning("attempt %s: history was lost, its payment %s is taken", *facts)
        return earlier

    def _is_too_old(self, attempt: Attempt) -> bool:
        """Whether the provider may have forgotten its idempotency key.

        A start far in the future also counts: the clock was wrong or the store was restored from a
        backup, so the provider may have been called long ago.
        """
        age = time.time() - attempt.started_at
        return not -_MARGIN_SECONDS <= age <= self._provider.key_retention - _MARGIN_SECONDS

    def _charge(self, attempt: Attempt) -> Charge:
        if attempt.sealed is None:
            raise DecryptionFailed("its token is gone")
        secret = self._token_keys.decrypt(attempt.sealed, attempt.attempt_id)
        data = orjson.loads(secret) | {"provider": attempt.provider}
        paid_by = PaymentData.model_validate(data, context=STORED, extra="ignore")
        return Charge(
            attempt_id=attempt.attempt_id,
            checkout_id=attempt.checkout_id,
            amount=attempt.amount,
            currency=attempt.currency,
            token=paid_by.token,
            billing_address=paid_by.billing_address,
        )

    async def _record_outcome(self, attempt: Attempt, outcome: Paid | Declined) -> None:
        metadata = Metadata.model_validate_json(attempt.metadata, extra="ignore")
        command = _command(attempt, outcome)
        try:
            [answer] = await self._writer.submit([outcome_command(attempt, metadata, command)])
        except Overloaded:
            await self._undecided(attempt, Undecided("too many writes are waiting"))
            return
        if was_already_closed(answer):
            await self._came_late(attempt, outcome)
        elif isinstance(answer, Accepted):
            PAYMENTS.labels("paid" if isinstance(outcome, Paid) else "declined").inc()
        else:
            # Its lease runs out, and the provider is called again.
            logger.error(
                "the end of attempt %s could not be recorded: %s", attempt.attempt_id, answer
            )

    async def _came_late(self, attempt: Attempt, outcome: Paid | Declined) -> None:
        if isinstance(outcome, Declined):
            return
        PAYMENTS.labels("late").inc()
        facts = attempt.attempt_id, outcome.payment_id
        logger.error("attempt %s had ended otherwise, and was then paid as %s", *facts)
        for pause in pauses(_STORE_PAUSE, _STORE_PAUSE):
            try:
                noted = await asyncio.to_thread(self._store.attempts.came_late, *facts, time.time())
            except StoreUnavailable as error:
                logger.warning("attempt %s was paid late as %s, not noted yet: %s", *facts, error)
                await asyncio.sleep(pause)
            else:
                logger.error("attempt %s: the payment %s is %s", *facts, noted)
                return

    async def _refund(self, attempt: Attempt) -> None:
        if attempt.payment_id is None:
            raise Undecided("it is unknown which payment to refund", needs_hand=True)
        await self._provider.refund(attempt.payment_id, attempt.attempt_id)
        PAYMENTS.labels("refunded").inc()
        logger.warning("attempt %s: %s was refunded", attempt.attempt_id, attempt.payment_id)
        await self._let_go(attempt, 0.0, "refunded", AttemptState.REFUNDED)

    async def _undecided(self, attempt: Attempt, undecided: Undecided) -> None:
        if undecided.needs_hand:
            await self._give_up(attempt, undecided.reason)
            return
        if undecided.is_general:
            self.failure = undecided.reason
        PAYMENTS.labels("undecided").inc()
        pause = min(2.0 ** min(attempt.asks - 1, 10), _LONGEST_PAUSE)
        pause = max(pause, min(undecided.retry_after or 0.0, _LONGEST_RETRY_AFTER))
        logger.warning(
            "attempt %s is undecided, the provider is called again in %.0f s: %s",
            attempt.attempt_id,
            pause,
            undecided.reason,
        )
        await self._let_go(attempt, time.time() + pause, undecided.reason, attempt.state)

    async def _give_up(self, attempt: Attempt, reason: str) -> None:
        PAYMENTS.labels("by_hand").inc()
        logger.error(
            "attempt %s of %s needs manual resolution (`checkout payments resolve`): %s",
            attempt.attempt_id,
            attempt.checkout_id,
            reason,
        )
        await self._let_go(attempt, 0.0, reason, AttemptState.BY_HAND)

    async def _let_go(self, attempt: Attempt, due_at: float, note: str, state: str) -> None:
        kept = AttemptState(state)
        await asyncio.to_thread(
            self._store.attempts.release, attempt, due_at, note[:MAX_TEXT], kept
        )


def _command(attempt: Attempt, outcome: Paid | Declined) -> RecordPayment | RecordDecline:
    if isinstance(outcome, Paid):
        return RecordPayment(attempt_id=attempt.attempt_id, payment_id=outcome.payment_id)
    return RecordDecline(
        attempt_id=attempt.attempt_id,
        code=_text(outcome.code) or "declined",
        message=_text(outcome.message) or "The payment was declined.",
    )


def _text(theirs: str) -> str:
    """A provider's text, as an event can hold it."""
    return theirs.encode("utf-8", "replace").decode()[:MAX_TEXT]
