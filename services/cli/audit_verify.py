"""`checkout audit verify`."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, aclosing
from typing import Annotated

import typer

from services.audit.verify import Verification
from services.bootstrap.connections import opened_views
from services.cli.audit_options import AsJson, audited, store_of
from services.cli.audit_options import checkout_ids as are_checkout_ids
from services.cli.progress import progress_bars
from services.cli.terminal import escaped
from services.kafka.connection import KafkaConnection, connection_of
from services.kafka.topics import Topics
from services.runtime.settings import Settings, variable


def verify(
    checkout_ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...",
            help="Only these checkouts.",
            callback=are_checkout_ids,
            show_default=False,
        ),
    ] = None,
    without_redis: Annotated[
        bool, typer.Option("--without-redis", help="Do not check the views in Redis.")
    ] = False,
    without_kafka: Annotated[
        bool, typer.Option("--without-kafka", help="Do not check the events on Kafka.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify what is recorded. Exits 1 with a line for each violation.

    Checks that streams have no gaps, that events can be read and follow each other, and that sums add up;
    that the views in Redis and the events on Kafka, from the earliest offset kept, are as the store has
    them. The last line counts what was checked.
    """
    settings = audited()
    left_out = {"redis_url": without_redis, "kafka_bootstrap_servers": without_kafka}
    for name, wish in left_out.items():
        if not wish and getattr(settings, name) is None:
            typer.echo(f"{variable(name)} is not set: that part is not verified", err=True)
            left_out[name] = True
    kafka = None
    if not left_out["kafka_bootstrap_servers"]:
        kafka = connection_of(settings), Topics(settings.topic_prefix).events
    redis = not left_out["redis_url"]
    count = asyncio.run(_verify(settings, checkout_ids or [], kafka, redis=redis, as_json=as_json))
    if count:
        raise typer.Exit(1)


async def _verify(
    settings: Settings,
    checkout_ids: list[str],
    kafka: tuple[KafkaConnection, str] | None,
    *,
    redis: bool,
    as_json: bool,
) -> int:
    """The number of violations."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(store_of(settings))
        views = await stack.enter_async_context(opened_views(settings, store)) if redis else None
        progress = stack.enter_context(progress_bars())
        verification = Verification(store, checkout_ids, views, kafka, progress)
        async with aclosing(verification.violations()) as violations:
            async for violation in violations:
                shown = json.dumps(violation.as_json()) if as_json else escaped(violation.line())
                typer.echo(shown)
        counts = verification.counts
    typer.echo(json.dumps({"verified": counts.as_json()}) if as_json else counts.line())
    return counts.violations
