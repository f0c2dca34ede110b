"""`checkout payments reconcile`."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from services.cli.audit_options import audited, moment, store_of
from services.cli.progress import progress_bars
from services.cli.terminal import escaped
from services.payment_worker.reconcile import Reconciliation
from services.runtime.settings import Settings

_BY_DEFAULT = timedelta(days=7)


def reconcile(
    since: Annotated[
        datetime | None,
        typer.Option(
            metavar="TIME",
            parser=moment,
            help="Compare what was paid from then on, such as 2026-11-21T12:00:00Z. "
            "By default, the last 7 days.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON line per difference.")
    ] = False,
) -> None:
    """Compare the provider's payments with the event store. Exits 1 with a line for each difference.

    Run it after a restore, and regularly. It may run while the system runs, and changes nothing. Payments
    are recognized by the metadata that each charge sends: checkout_id and attempt_id. The last line counts
    what was compared.

    not_in_store: paid at the provider, and no order has the payment. If its attempt waits, record it with
    `resolve --paid`; otherwise refund it there.

    paid_twice: paid at the provider, and the checkout has another payment. Refund one of the two there.

    other_amount: an order and its payment at the provider differ in amount or currency.

    not_at_provider: an order has a payment that the provider has not.

    Needs the event store and the payment provider: CHECKOUT_PAYMENT_PROVIDER and its settings.
    """
    settings = audited("payment_provider")
    begin = since or datetime.now(UTC) - _BY_DEFAULT
    if asyncio.run(_reconcile(settings, begin, as_json=as_json)):
        raise typer.Exit(1)


async def _reconcile(settings: Settings, since: datetime, *, as_json: bool) -> int:
    """The number of differences."""
    # Imported on use: Stripe's library is large.
    from services.payment_worker.providers.from_settings import gateway_of

    gateway = gateway_of(settings)
    try:
        async with store_of(settings) as store:
            with progress_bars() as progress:
                run = Reconciliation(store, gateway, since.timestamp(), progress)
                async with aclosing(run.differences()) as differences:
                    async for it in differences:
                        typer.echo(json.dumps(it.as_json()) if as_json else escaped(it.line()))
    finally:
        await gateway.close()
    counts = run.counts
    typer.echo(json.dumps({"reconciled": asdict(counts)}) if as_json else counts.line())
    return counts.differences
