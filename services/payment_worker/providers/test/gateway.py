"""The test provider: no money moves, its tokens play each kind of outcome, and its books outlive a crash.

For `checkout dev`, the demo and tests. The tokens are in `practice_tokens`. Like a real provider it
acts once for each attempt, however many processes ask, and keeps on disk what it did.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from services.payment_worker.payment_gateway import Charge, Declined, Paid
from services.payment_worker.providers.test.ledger import ChargeLedger, LedgerEntry
from services.payment_worker.providers.test.outcomes import TokenOutcome, outcome_of


class FakeGateway:
    """Keeps its books in an SQLite file, which is made if it is missing."""

    key_retention = 24 * 3600.0

    def __init__(self, path: Path) -> None:
        self._record = ChargeLedger(path)

    async def charge(self, charge: Charge) -> Paid | Declined:
        """See `PaymentGateway`. The same attempt with other parameters is `Undecided`, for a person."""
        part, payment_id = await asyncio.to_thread(self._ask, charge)
        await asyncio.sleep(part.delay)
        if part.failure:
            raise part.failure
        return Paid(payment_id) if payment_id else part.declined

    async def refund(self, payment_id: str, attempt_id: str) -> None:
        """See `PaymentGateway`."""
        await asyncio.to_thread(self._record.refund, payment_id, attempt_id)

    async def close(self) -> None:
        """Nothing is held."""

    def record(self) -> list[LedgerEntry]:
        """All that it was ever asked for."""
        return self._record.charges()

    def _ask(self, charge: Charge) -> tuple[TokenOutcome, str | None]:
        ask, payment_id = self._record.ask(charge, lambda n: outcome_of(charge.token, n).charges)
        return outcome_of(charge.token, ask), payment_id
