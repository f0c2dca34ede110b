"""`checkout audit`: history, past states, differences, verification and replay."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Annotated

import typer

from domain.checkout import Checkout
from projections.checkout_view import render
from services.audit.as_of import NotThere, as_of
from services.audit.differences import differences
from services.audit.history import history as history_of
from services.cli.audit_options import AsJson, CheckoutId, audited, moment, store_of
from services.cli.audit_replay import replay
from services.cli.audit_verify import verify
from services.cli.terminal import escaped, laid_out
from services.messages.rfc3339 import format_rfc3339
from services.runtime.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="Read the event store: history, past states, differences; verify it, and replay its events.",
)
app.command()(verify)
app.command()(replay)
_Version = Annotated[int, typer.Argument(min=1, help="A version: events are counted from 1.")]


@app.command()
def history(checkout_id: CheckoutId, as_json: AsJson = False) -> None:
    """Show what happened to a checkout, event by event: when, who sent the command, and what changed.

    Exits 1 if its stream is not whole, after showing what can be read of it.
    """
    asyncio.run(_history(audited(), checkout_id, as_json=as_json))


@app.command()
def show(
    checkout_id: CheckoutId,
    version: Annotated[
        int | None, typer.Option(min=1, help="As it was at this version, counted from 1.")
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            parser=moment,
            metavar="TIME",
            help="As it was then: after the last event not after it. RFC 3339 with an offset.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a checkout as GET does: now, at a version, or at a time."""
    if version and at:
        raise typer.BadParameter("give either --version or --at")
    [checkout] = asyncio.run(_as_of(audited(), checkout_id, version or at))
    if as_json:
        typer.echo(json.dumps(render(checkout)))
        return
    typer.echo(laid_out(render(checkout)))
    if checkout.unknown_topic:
        hint = "upgrade this program to see all"
        typer.echo(f"{checkout.unknown_topic} is an event of a later build: {hint}", err=True)
    typer.echo(f"Version {checkout.version} of {format_rfc3339(checkout.updated_at)}", err=True)


@app.command()
def diff(
    checkout_id: CheckoutId, version_a: _Version, version_b: _Version, as_json: AsJson = False
) -> None:
    """Show which fields of a checkout, as GET shows it, differ between two versions."""
    old, new = asyncio.run(_as_of(audited(), checkout_id, version_a, version_b))
    found = list(differences(render(old), render(new)))
    for difference in found:
        typer.echo(json.dumps(difference.as_json()) if as_json else escaped(difference.line()))
    if not found and not as_json:
        typer.echo("Nothing that is shown differs.")


async def _history(settings: Settings, checkout_id: str, *, as_json: bool) -> None:
    entry = None
    async with store_of(settings) as store:
        for entry in history_of(store, checkout_id):
            if as_json:
                typer.echo(json.dumps(entry.as_json()))
            else:
                typer.echo("\n   ".join(map(escaped, entry.lines())))
    if entry is None:
        raise NotThere(f"there is no checkout {checkout_id} in the event store")
    if entry.trouble:
        raise typer.Exit(1)


async def _as_of(
    settings: Settings, checkout_id: str, *moments: int | datetime | None
) -> list[Checkout]:
    async with store_of(settings) as store:
        return [as_of(store, checkout_id, moment) for moment in moments]
