"""`checkout store`: what an operator does with the event store itself."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Annotated

import typer

from services.cli.audit_options import AsJson, audited, store_of
from services.cli.progress import progress_bars
from services.cli.terminal import escaped
from services.kafka.connection import connection_of
from services.kafka.topics import Topics
from services.runtime.settings import Settings
from services.store_restore.report import Difference, Imported, Report
from services.store_restore.restore import Restore

app = typer.Typer(no_args_is_help=True)


@app.callback()
def store() -> None:
    """Look after the event store after it was restored."""


@app.command()
def restored(
    lossless: Annotated[
        bool,
        typer.Option(
            "--lossless",
            help="No commit was lost, for example because a synchronous standby was promoted: begin no "
            "epoch. Ignored if Kafka shows otherwise.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run this after the event store was restored from a backup, or failed over and lost commits.

    Writes stop: HTTP answers 503, commands on Kafka wait. The events that are on the event topic and not in
    the store are imported, with the outcomes of their commands, and the relay's position is set. Then a new
    epoch begins, because what was never published is gone, and writes go on.

    Prints a line for each checkout with imported events, and for each that still differs. Exits 1 if one
    differs. If it is interrupted, writes stay stopped: run it again.
    """
    settings = audited("kafka_bootstrap_servers")
    report = asyncio.run(_restored(settings, is_lossless=lossless))
    parts: list[Imported | Difference] = [*report.imported, *report.differences]
    for part in parts:
        typer.echo(json.dumps(asdict(part)) if as_json else escaped(part.line()))
    typer.echo(json.dumps({"restored": report.summary()}) if as_json else report.line())
    if report.differences:
        raise typer.Exit(1)


async def _restored(settings: Settings, *, is_lossless: bool) -> Report:
    async with AsyncExitStack() as stack:
        event_store = await stack.enter_async_context(store_of(settings))
        progress = stack.enter_context(progress_bars())
        topic = Topics(settings.topic_prefix).events
        connection = connection_of(settings)
        run = Restore(event_store, connection, topic, progress, is_lossless=is_lossless)
        return await run.run()
