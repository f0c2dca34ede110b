"""Claims payment attempts by lease and works on many at once; more workers share the work."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid

from services.command_handling import GroupCommitter
from services.event_store import Attempt, AttemptState, EventStore
from services.event_store.commit_notifier import CommitNotifier
from services.payment_worker.attempt_processor import AttemptProcessor
from services.payment_worker.payment_gateway import PaymentGateway
from services.runtime.lag import Lag, LagMonitor
from services.runtime.metrics import PAYMENT_LAG, PAYMENTS_BY_HAND
from services.runtime.supervised_task import SupervisedTask
from services.security.token_encryption import TokenKeys

logger = logging.getLogger("checkout.payments")

_POLL_SECONDS = 1.0
"""The polling interval, for a lost notification."""
_GAP_SECONDS = 0.01
"""The shortest time between two claims."""
_STOP_SECONDS = 6.0


class PaymentWorker:
    """Works on due attempts, `concurrency` of them at once.

    If a worker dies, others take over its attempts after `lease_seconds`.
    """

    def __init__(
        self,
        store: EventStore,
        writer: GroupCommitter,
        provider: PaymentGateway,
        token_keys: TokenKeys,
        *,
        concurrency: int,
        lease_seconds: float,
        max_lag: int,
    ) -> None:
        self._store = store
        self._provider = provider
        self._work = AttemptProcessor(store, writer, provider, token_keys)
        self._name = uuid.uuid4().hex
        self._concurrency = concurrency
        self._lease_seconds = lease_seconds
        self._working: dict[str, asyncio.Task[None]] = {}
        self._commits = CommitNotifier(store)
        self._task = SupervisedTask("payments", self._run_once)
        self.lag = LagMonitor("payments are not settled yet", self._measure, PAYMENT_LAG, max_lag)

    @property
    def failure(self) -> str | None:
        """Why attempts are not being worked on; None if they are."""
        return self._task.failure or self._work.failure

    async def start(self) -> None:
        """Start to claim attempts."""
        self._commits.start()
        self._task.start()
        self.lag.start()

    async def stop(self) -> None:
        """Stop claiming, and finish current attempts within seconds; others take over the rest."""
        self._commits.stop()
        await self.lag.stop()
        await self._task.stop()
        if self._working:
            await asyncio.wait(self._working.values(), timeout=_STOP_SECONDS)
        for task in self._working.values():
            task.cancel()
        await self._provider.close()

    async def _run_once(self) -> None:
        self._commits.clear()
        claimed = await self._claim(self._concurrency - len(self._working))
        for attempt in claimed:
            # If its lease ran out while it is being worked on, this claim renews the lease.
            if attempt.attempt_id not in self._working:
                self._begin(attempt)
        if not claimed:
            await self._commits.wait(_POLL_SECONDS)
        await asyncio.sleep(_GAP_SECONDS)

    async def _claim(self, limit: int) -> list[Attempt]:
        if limit <= 0:
            return []
        attempts = self._store.attempts
        return await asyncio.to_thread(
            attempts.claim, self._name, time.time(), self._lease_seconds, limit
        )

    async def _work_on(self, attempt: Attempt) -> None:
        try:
            await self._work.do(attempt)
        except Exception:
            # Its lease runs out, and it is claimed again.
            logger.exception("the work on attempt %s failed", attempt.attempt_id)

    def _begin(self, attempt: Attempt) -> None:
        task = asyncio.create_task(self._work_on(attempt), name=attempt.attempt_id)
        self._working[attempt.attempt_id] = task
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._working[task.get_name()]
        self._commits.notify()

    async def _measure(self) -> Lag:
        """The attempts of all workers that wait for the provider."""
        waiting = await asyncio.to_thread(self._store.attempts.waiting)
        PAYMENTS_BY_HAND.set(waiting.get(AttemptState.BY_HAND, (0, 0.0))[0])
        due = [waiting[it] for it in (AttemptState.OPEN, AttemptState.REFUND_DUE) if it in waiting]
        oldest = min((since for _, since in due), default=time.time())
        return Lag(sum(count for count, _ in due), max(0.0, time.time() - oldest))
