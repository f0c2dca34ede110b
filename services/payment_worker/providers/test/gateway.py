"""The `test` provider: it charges no money, its tokens choose the outcome, and its ledger survives
a crash.

For `checkout dev`, the demo and tests. The tokens are listed in `outcomes`. Like a real provider it
acts once for each attempt, however many processes call it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from services.payment_worker.payment_gateway import (
    Charge,
    Declined,
    Paid,
    PaymentGateway,
    ProviderPayment,
)
from services.payment_worker.providers.test.ledger import ChargeLedger, LedgerEntry
from services.payment_worker.providers.test.outcomes import TokenOutcome, outcome_of
from services.runtime.settings import BadSetting, Settings, variable


def from_settings(settings: Settings) -> PaymentGateway:
    """The gateway with the configured ledger. Raises `BadSetting`."""
    if settings.payment_test_file is None:
        raise BadSetting(
            f"{variable('payment_test_file')} is not set: the file for the test provider's ledger"
        )
    return FakeGateway(settings.payment_test_file)


class FakeGateway:
    """Keeps its ledger in an SQLite file, which is created if it is missing."""

    key_retention = 24 * 3600.0
    search_lag = 0.0

    def __init__(self, path: Path) -> None:
        self._ledger = ChargeLedger(path)

    async def charge(self, charge: Charge) -> Paid | Declined:
        """See `PaymentGateway`. The same attempt with other parameters is `Undecided`, for an operator."""
        outcome, payment_id = await asyncio.to_thread(self._call, charge)
        await asyncio.sleep(outcome.delay)
        if outcome.failure:
            raise outcome.failure
        return Paid(payment_id) if payment_id else outcome.declined

    async def refund(self, payment_id: str, attempt_id: str) -> None:
        """See `PaymentGateway`."""
        await asyncio.to_thread(self._ledger.refund, payment_id, attempt_id)

    async def payments(
        self, checkout_id: str | None = None, *, since: float = 0.0, until: float | None = None
    ) -> AsyncIterator[ProviderPayment]:
        """See `PaymentGateway`. Whatever was charged is final."""
        for entry in await asyncio.to_thread(self._ledger.charges):
            if entry.payment_id is None or entry.charged_at is None:
                continue
            if checkout_id not in (None, entry.checkout_id):
                continue
            if entry.charged_at < since or entry.charged_at > (until or entry.charged_at):
                continue
            yield ProviderPayment(
                payment_id=entry.payment_id,
                attempt_id=entry.attempt_id,
                checkout_id=entry.checkout_id,
                amount=entry.amount,
                currency=entry.currency,
                created_at=entry.charged_at,
                refunded=entry.amount if entry.refunded else 0,
            )

    async def close(self) -> None:
        """Nothing to close."""

    def charges(self) -> list[LedgerEntry]:
        """All charges in the ledger."""
        return self._ledger.charges()

    def _call(self, charge: Charge) -> tuple[TokenOutcome, str | None]:
        call, payment_id = self._ledger.count_call(
            charge, lambda n: outcome_of(charge.token, n).charges
        )
        return outcome_of(charge.token, call), payment_id
