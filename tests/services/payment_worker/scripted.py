"""A payment provider that answers as a test tells it to, and a store, a handler and a writer to work with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from domain.checkout import Checkout
from projections.registry import RenderedView
from services.command_handling import GroupCommitter
from services.command_handling.view_writer import ViewWriter
from services.event_store import Attempt, EventStore
from services.payment_worker.attempt_processor import AttemptProcessor
from services.payment_worker.payment_gateway import (
    Charge,
    Declined,
    Paid,
    PaymentGateway,
    ProviderPayment,
)
from services.payment_worker.worker import PaymentWorker
from services.security.token_encryption import TokenKeys
from tests.projections.given import TrustedServer
from tests.services.command_handling.given import TOKEN_KEYS, handler_on
from tests.services.command_handling.paying import complete, ready

Answer = Paid | Declined | Exception | Callable[[Charge], Awaitable[Paid | Declined]]
LEASE = 30.0


class Scripted:
    """Gives the next answer of its script to each ask, and then says that all is paid."""

    key_retention = 24 * 3600.0
    search_lag = 0.0

    def __init__(self, *script: Answer) -> None:
        self.script = list(script)
        self.asked: list[Charge] = []
        self.refund_script: list[Exception] = []
        self.refunds: list[tuple[str, str]] = []
        self.found: list[ProviderPayment] = []
        self.listed: list[ProviderPayment] = []
        self.looked: list[tuple[str | None, float, float | None]] = []
        self.is_closed = False

    async def charge(self, charge: Charge) -> Paid | Declined:
        self.asked.append(charge)
        answer = self.script.pop(0) if self.script else Paid(f"pay_of_{charge.attempt_id}")
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Paid | Declined) else await answer(charge)

    async def refund(self, payment_id: str, attempt_id: str) -> None:
        self.refunds.append((payment_id, attempt_id))
        if self.refund_script:
            raise self.refund_script.pop(0)

    async def payments(
        self, checkout_id: str | None = None, *, since: float = 0.0, until: float | None = None
    ) -> AsyncIterator[ProviderPayment]:
        """A search gets what is `found`, whatever its checkout, and a list what is `listed`."""
        self.looked.append((checkout_id, since, until))
        for payment in self.found if checkout_id else self.listed:
            yield payment

    async def close(self) -> None:
        self.is_closed = True


class Unseen(TrustedServer):
    """A read model that nobody reads."""

    async def apply(self, views: Sequence[RenderedView]) -> bool:
        return True


@asynccontextmanager
async def writer_on(store: EventStore, **more: int) -> AsyncIterator[GroupCommitter]:
    """The handler and its writer thread."""
    writer = GroupCommitter(
        handler_on(store, lambda: datetime.now(UTC)), ViewWriter(Unseen()), **more
    )
    writer.start()
    try:
        yield writer
    finally:
        await writer.stop()


def service_on(
    store: EventStore, writer: GroupCommitter, provider: PaymentGateway, concurrency: int
) -> PaymentWorker:
    """A service of workers that nobody has started."""
    return PaymentWorker(
        store,
        writer,
        provider,
        TOKEN_KEYS,
        concurrency=concurrency,
        lease_seconds=LEASE,
        max_lag=100,
    )


def start_payments(
    store: EventStore, *checkout_ids: str, channel: str = "http", hours_ago: float = 0.1
) -> None:
    """Checkouts whose payments have started."""
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    opened = [ready(checkout_id) for checkout_id in checkout_ids]
    handler_on(store, lambda: at).handle(
        [*opened, *(complete(checkout_id, channel=channel) for checkout_id in checkout_ids)]
    )


async def work_on(
    attempt: Attempt,
    store: EventStore,
    provider: PaymentGateway,
    token_keys: TokenKeys = TOKEN_KEYS,
) -> Attempt:
    """The attempt, once a worker has done what it does with a claimed one."""
    async with writer_on(store) as writer:
        await AttemptProcessor(store, writer, provider, token_keys).do(attempt)
    after = store.attempts.get(attempt.attempt_id)
    assert after is not None
    return after


def claimed(store: EventStore, now: float, lease_seconds: float = LEASE) -> Attempt:
    """The only attempt that is due then."""
    [attempt] = store.attempts.claim("a worker", now, lease_seconds, 10)
    return attempt


def checkout(store: EventStore, checkout_id: str = "a") -> Checkout:
    """A checkout as it is now."""
    return store.current([checkout_id])[checkout_id]
