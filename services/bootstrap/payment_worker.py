"""The process of `checkout payments`: from payment attempts to a provider, and back to the handler."""

from __future__ import annotations

from services.bootstrap.connections import opened_store, opened_views
from services.bootstrap.parts import run_with_health, writing
from services.bootstrap.readiness_checks import failure_check, store_check, views_check
from services.command_handling import GroupCommitter
from services.event_store import EventStore
from services.payment_worker.payment_gateway import PaymentGateway
from services.payment_worker.providers.from_settings import gateway_of
from services.payment_worker.worker import PaymentWorker
from services.runtime.health import degrading
from services.runtime.settings import Settings
from services.security.token_encryption import TokenKeys


def build(
    settings: Settings,
    store: EventStore,
    writer: GroupCommitter,
    gateway: PaymentGateway,
    token_keys: TokenKeys,
) -> PaymentWorker:
    """The payment worker of a process."""
    return PaymentWorker(
        store,
        writer,
        gateway,
        token_keys,
        concurrency=settings.payment_concurrency,
        lease_seconds=settings.payment_lease_seconds,
        max_lag=settings.max_lag_events,
    )


async def run(settings: Settings) -> None:
    """Run until a stop is requested."""
    book, token_keys = settings.book(), settings.token_keyring()
    gateway = gateway_of(settings)
    async with (
        opened_store(settings) as store,
        opened_views(settings, store) as views,
        writing(store, views, book, token_keys=None) as writer,
    ):
        worker = build(settings, store, writer, gateway, token_keys)
        checks = {
            "store": store_check(store),
            "writer": failure_check(writer),
            "redis": degrading(views_check(views)),
            "payments": failure_check(worker),
        }
        await run_with_health(settings, worker, checks)
