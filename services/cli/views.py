"""`checkout views`: compares the records in Redis with the event store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import asdict

import typer

from services.audit.all_views import wrong_views
from services.audit.views_rebuild import Rebuild, Rebuilt
from services.bootstrap.connections import opened_views
from services.cli.audit_options import AsJson, audited, store_of
from services.cli.progress import progress_bars
from services.cli.terminal import escaped
from services.kafka.connection import connection_of
from services.kafka.topic_reader import bounds_of
from services.kafka.topics import Topics
from services.runtime.settings import Settings

app = typer.Typer(
    no_args_is_help=True, help="Compare the views in Redis with the event store, or rebuild them."
)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Compare each view in Redis with the store. Exits 1 with a line for each wrong view."""
    if asyncio.run(_check(audited("redis_url"), as_json=as_json)):
        raise typer.Exit(1)


@app.command()
def rebuild(as_json: AsJson = False) -> None:
    """Rebuild all views in Redis from the store, in place: reads go on, and no view goes back.

    Waits while a projector rebuilds. Exits 1 if a stream is broken, so that it has no view.
    """
    result = asyncio.run(_rebuild(audited("redis_url")))
    if as_json:
        typer.echo(json.dumps(asdict(result)))
    else:
        replaced = f"{result.mended} differed, and were replaced or removed"
        typer.echo(f"{result.views} views are as the store has them; {replaced}")
        if result.broken:
            typer.echo(
                f"{result.broken} broken streams have none: `checkout audit verify`", err=True
            )
    if result.broken:
        raise typer.Exit(1)


async def _check(settings: Settings, *, as_json: bool) -> int:
    """The number of wrong records."""
    count = 0
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(store_of(settings))
        views = await stack.enter_async_context(opened_views(settings, store))
        progress = stack.enter_context(progress_bars())
        found = await stack.enter_async_context(aclosing(wrong_views(store, views, progress)))
        async for wrong in found:
            typer.echo(json.dumps(wrong.as_json()) if as_json else escaped(wrong.line()))
            count += 1
    if not count and not as_json:
        typer.echo("All views are as they should be.")
    return count


async def _rebuild(settings: Settings) -> Rebuilt:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(store_of(settings))
        views = await stack.enter_async_context(opened_views(settings, store))
        progress = stack.enter_context(progress_bars())
        run = Rebuild(views, store, lambda: _ends(settings), progress)
        await run.run()
        return run.result


async def _ends(settings: Settings) -> Mapping[str, int]:
    """Where the projector continues: at the ends of the event topic, or at its beginning without Kafka."""
    if settings.kafka_bootstrap_servers is None:
        return {}
    topic = Topics(settings.topic_prefix).events
    bounds = await bounds_of(connection_of(settings), topic)
    return {f"{topic}/{number}": end for number, (_, end) in bounds.items()}
