"""The process of `checkout payments`."""

from __future__ import annotations

from services.checks import failure_check, store_check, views_check
from services.handler import Writer
from services.opening import opened_store, opened_views
from services.payments.provider import PaymentProvider
from services.payments.providers import provider_of
from services.payments.service import PaymentsService
from services.settings import Settings
from services.store import EventStore
from services.token_keys import TokenKeys
from services.wiring.parts import (
    run_with_health,
    writing,
)


async def run(settings: Settings) -> None:
    """`checkout payments`: from payment attempts to a provider, and back to the handler."""
    book, token_keys = settings.book(), settings.token_keyring()
    provider = provider_of(settings)
    async with (
        opened_store(settings) as store,
        opened_views(settings) as views,
        writing(store, views, book, token_keys) as writer,
    ):
        service = payments_service(settings, store, writer, provider, token_keys)
        checks = {
            "store": store_check(store),
            "writer": failure_check(writer),
            "redis": views_check(views),
            "payments": failure_check(service),
        }
        await run_with_health(settings, service, checks)


def payments_service(
    settings: Settings,
    store: EventStore,
    writer: Writer,
    provider: PaymentProvider,
    token_keys: TokenKeys,
) -> PaymentsService:
    """The payment workers of a process."""
    return PaymentsService(
        store,
        writer,
        provider,
        token_keys,
        concurrency=settings.payment_concurrency,
        lease_seconds=settings.payment_lease_seconds,
        max_lag=settings.max_lag_events,
    )
