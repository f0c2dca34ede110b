"""`checkout audit replay`."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import uuid
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from typing import Annotated

import typer

from domain.events import EVENTS
from services.audit.replay import Replay, ReplayCounts, ReplayFilter, ReplayPlan
from services.cli.audit_options import AsJson, audited, moment, store_of
from services.cli.audit_options import checkout_ids as are_checkout_ids
from services.cli.progress import progress_bars
from services.kafka.connection import connection_of
from services.kafka.publisher import Publisher
from services.kafka.topics import Topics
from services.runtime.settings import Settings

_TYPES = sorted({event.NAME for event in EVENTS.values()})
_REPLAY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _event_types(given: list[str] | None) -> list[str]:
    names = [name.removeprefix("checkout.") for name in given or ()]
    for name in names:
        if name not in _TYPES:
            raise typer.BadParameter(f"{name} is no event; there are {', '.join(_TYPES)}")
    return names


def _replay_id(given: str | None) -> str | None:
    if given is not None and not _REPLAY_ID.fullmatch(given):
        raise typer.BadParameter("must be 1 to 64 of A-Z a-z 0-9 _ -")
    return given


def replay(
    to: Annotated[
        str,
        typer.Option(
            metavar="TOPIC",
            help="The topic to publish to: it must exist, and not be one of the service.",
        ),
    ],
    since: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="Only events at or after this time."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="Only events before this time."),
    ] = None,
    event_type: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="NAME",
            help="Only events of this name, such as ItemsUpdated; may be given more than once.",
            callback=_event_types,
            show_default=False,
        ),
    ] = None,
    checkout: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Only events of this checkout; may be given more than once.",
            callback=are_checkout_ids,
            show_default=False,
        ),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="At most so many events a second.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many events.")] = None,
    after: Annotated[
        int, typer.Option("--from", metavar="POSITION", min=0, help="Continue after this position.")
    ] = 0,
    replay_id: Annotated[
        str | None,
        typer.Option(help="Marks the events; random by default.", callback=_replay_id),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count the events, and publish none.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Publish stored events again, in commit order, to a topic of your own.

    The events are as on the event topic, and marked: `ce_replayid` names the replay, `ce_replayposition`
    the event's position. Ctrl-C stops it, and prints how to continue without a gap or a repeat. Exits 1 if
    it was stopped before its end or its limit.
    """
    settings = audited("kafka_bootstrap_servers")
    wanted = ReplayFilter(frozenset(checkout or ()), frozenset(event_type or ()), since, until)
    topic, marked = (None if dry_run else to), replay_id or uuid.uuid4().hex
    plan = ReplayPlan(wanted, after, 0, limit, rate, topic, marked)
    if not asyncio.run(_replay(settings, to, plan, as_json=as_json)):
        raise typer.Exit(1)


async def _replay(settings: Settings, to: str, plan: ReplayPlan, *, as_json: bool) -> bool:
    """Whether it reached its end or its limit."""
    stop_requested = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop_requested.set)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(store_of(settings))
        publisher = Publisher(connection_of(settings))
        stack.push_async_callback(publisher.stop)
        await _guard_topic(to, Topics(settings.topic_prefix), publisher)
        newest = await asyncio.to_thread(store.newest)
        what = (
            "Counting" if plan.topic is None else f"Publishing to {to}, as replay {plan.replay_id},"
        )
        typer.echo(f"{what} what matches of positions {plan.after + 1} to {newest}", err=True)
        show = stack.enter_context(progress_bars())

        def progress(counts: ReplayCounts) -> None:
            show("Positions in the store", counts.position, newest)

        run = Replay(store, publisher, replace(plan, until=newest), progress)
        try:
            await run.run(stop_requested)
        finally:
            # Also after a failure: it is known which events Kafka has acknowledged, and where to continue.
            typer.echo(json.dumps(run.summary()) if as_json else run.line())
    return run.is_done


async def _guard_topic(topic: str, ours: Topics, publisher: Publisher) -> None:
    """Rejects topics of the service, under this prefix and the default one, and topics that do not exist."""
    for topics in (ours, Topics()):
        if topic in topics.all or topics.may_reply_to(topic):
            raise typer.BadParameter(
                f"{topic} is a topic of the service itself: nothing is replayed there",
                param_hint="--to",
            )
    if topic not in await publisher.topics():
        raise typer.BadParameter(
            f"there is no topic {topic} in Kafka: create it", param_hint="--to"
        )
