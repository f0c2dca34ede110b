"""`checkout store`: what an operator does with the event store itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from services.cli.audit_options import AsJson, audited, require_file, store_of
from services.cli.progress import progress_bars
from services.cli.terminal import escaped
from services.event_store import open_schema
from services.event_store.migrations import MIGRATIONS, pending
from services.event_store.schema_version import Schema
from services.kafka.connection import connection_of
from services.kafka.topics import Topics
from services.runtime.settings import BadSetting, Settings, variable
from services.store_restore.report import Difference, Imported, Report
from services.store_restore.restore import Restore

app = typer.Typer(no_args_is_help=True)


@app.callback()
def store() -> None:
    """Look after the event store: its schema, and what is due after it was restored."""


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


@app.command()
def migrate(
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Change nothing: print what is missing, and exit 1 if anything is."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add the tables, columns and indexes that this build needs and the event store lacks.

    Services may run meanwhile, also those of an older build: nothing is removed or changed. On PostgreSQL the
    role needs the right to create and alter tables; the services then don't, if CHECKOUT_EVENT_STORE_MIGRATE
    is `never`. Run it before you start a new build. It is safe to run it again, and several at once.

    Prints a line for each migration. Exits 1 if one could not be applied.
    """
    settings = audited()
    if check:
        require_file(settings)
    with _schema_of(settings) as schema:
        done = pending(MIGRATIONS, schema.applied()) if check else schema.migrate()
        version = max(schema.applied(), default=0)
    state = "pending" if check else "applied"
    for each in done:
        line = {"migration": each.number, "name": each.name, "state": state}
        typer.echo(json.dumps(line) if as_json else f"{state}: {each.number} ({each.name})")
    summary = {"version": version, state: len(done)}
    typer.echo(
        json.dumps({"schema": summary})
        if as_json
        else f"The event store has schema version {version}; {len(done)} {state}"
    )
    if check and done:
        raise typer.Exit(1)


@contextmanager
def _schema_of(settings: Settings) -> Iterator[Schema]:
    """The schema of the store that the settings name. Raises `BadSetting` and `StoreUnavailable`."""
    url = settings.event_store_url.get_secret_value() if settings.event_store_url else ""
    try:
        with open_schema(url) as schema:
            yield schema
    except ValueError as error:
        raise BadSetting(f"{variable('event_store_url')} {error}") from None


async def _restored(settings: Settings, *, is_lossless: bool) -> Report:
    async with AsyncExitStack() as stack:
        event_store = await stack.enter_async_context(store_of(settings))
        progress = stack.enter_context(progress_bars())
        topic = Topics(settings.topic_prefix).events
        connection = connection_of(settings)
        run = Restore(event_store, connection, topic, progress, is_lossless=is_lossless)
        return await run.run()
