"""`checkout events`: publishes stored events again on the event topic."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from services.cli.audit_options import AsJson, audited, store_of
from services.cli.progress import progress_bars
from services.cli.terminal import escaped
from services.event_store.set_aside import SetAside
from services.kafka.connection import connection_of
from services.kafka.topic_reader import bounds_of
from services.kafka.topics import Topics
from services.messages.rfc3339 import format_rfc3339
from services.outbox_relay.republish import Republish, Republished
from services.runtime.settings import Settings

app = typer.Typer(no_args_is_help=True)


@app.callback()
def events() -> None:
    """Publish stored events again on the event topic, and list those that can't be published."""


@app.command("set-aside")
def set_aside(as_json: AsJson = False) -> None:
    """List the checkouts whose events are not published from a version on, because its row can't be read.

    Other checkouts go on. Restore the row, from a backup of the event store for example: the relay then
    publishes that version and all later ones, in order, within seconds.
    """
    for stream in asyncio.run(_set_aside(audited())):
        since = format_rfc3339(datetime.fromtimestamp(stream.since, UTC))
        line = (
            f"{stream.checkout_id} from version {stream.version} on, since {since}: {stream.reason}"
        )
        typer.echo(json.dumps(asdict(stream)) if as_json else escaped(line))


async def _set_aside(settings: Settings) -> list[SetAside]:
    async with store_of(settings) as store:
        return await asyncio.to_thread(store.set_aside.all)


@app.command()
def republish(
    after: Annotated[
        int,
        typer.Option(
            "--from",
            metavar="POSITION",
            min=0,
            help="Publish the events after this position of the event store; 0 for all.",
        ),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Publish the stored events again, through the running relay, and wait until that is done.

    For an event topic that was deleted or has lost records, and for a relay whose position is ahead of the
    store. It moves the relay's position: the relay continues from there, so each checkout's events stay in
    order, and new events follow. Consumers get repeats with the same `ce_id`.

    Ctrl-C ends the waiting, not the publishing. If the relay stops, the next one continues. Exits 1 if not
    everything was published yet.
    """
    settings = audited("kafka_bootstrap_servers")
    if not asyncio.run(_republish(settings, after, as_json=as_json)):
        raise typer.Exit(1)


async def _republish(settings: Settings, after: int, *, as_json: bool) -> bool:
    """Whether everything is published."""
    stop_requested = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop_requested.set)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(store_of(settings))
        newest = await asyncio.to_thread(store.newest)
        if after > newest:
            raise typer.BadParameter(
                f"the store's newest event is at position {newest}", param_hint="--from"
            )
        topic = Topics(settings.topic_prefix).events
        bounds = await bounds_of(connection_of(settings), topic)
        ends = {number: end for number, (_, end) in bounds.items()}
        run = Republish(store, topic, ends, after)
        await asyncio.to_thread(run.request)
        typer.echo(f"The relay publishes positions {after + 1} to {newest} on {topic}", err=True)
        show = stack.enter_context(progress_bars())

        def progress(so_far: Republished) -> None:
            show("Positions in the store", so_far.position, so_far.until)

        await run.watch(progress, stop_requested)
        typer.echo(json.dumps(run.progress.as_json()) if as_json else run.progress.line())
    return run.progress.is_complete
