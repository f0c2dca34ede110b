"""`checkout dead-letters`: list, show and retry, with Kafka alone."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Sequence
from contextlib import aclosing
from typing import Annotated

import typer

from services.cli.dead_letter_format import line, pages, summary, whole
from services.cli.terminal import escaped
from services.command_consumer.dead_letter_codec import DeadLetter
from services.command_consumer.dead_letter_retry import Letters, RetryRun
from services.kafka.connection import KafkaConnection, connection_of
from services.kafka.topic_reader import record_at, records_of
from services.kafka.topics import Topics
from services.messages.dead_letters import DeadLetterReason
from services.runtime.log_config import configure_logging
from services.runtime.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="List, show and retry what could not be read or handled: <prefix>dead-letters.",
)
_NONE = "There are no such dead letters."
_PLACE = re.compile(r"([0-9]{1,9}):([0-9]{1,18})")


def _places(given: list[str] | str | None) -> list[str] | str | None:
    for place in [given] if isinstance(given, str) else given or ():
        if not _PLACE.fullmatch(place):
            raise typer.BadParameter(f"{place} is no PARTITION:OFFSET, such as 3:17")
    return given


_OfReason = Annotated[
    DeadLetterReason | None, typer.Option("--reason", help="Only those with this reason.")
]
_OfCheckout = Annotated[
    str | None, typer.Option("--checkout", help="Only those about this checkout.")
]


@app.command("list")
def list_letters(
    reason: _OfReason = None,
    checkout: _OfCheckout = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line for each.")] = False,
) -> None:
    """List the current dead letters by partition and offset, one a line."""
    letters = _letters(*_setup(), reason, checkout)
    if not asyncio.run(_list(letters, as_json=as_json)) and not as_json:
        typer.echo(_NONE)


@app.command()
def show(
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", callback=_places)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line.")] = False,
) -> None:
    """Show a dead letter: the reason, and its key, headers and value as they came."""
    letter = asyncio.run(_letter_at(*_setup(), place))
    if letter is None:
        typer.echo(f"checkout: there is no dead letter at {place}", err=True)
        raise typer.Exit(1)
    typer.echo(json.dumps(whole(letter)) if as_json else pages(letter))


@app.command()
def retry(
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PARTITION:OFFSET]...", callback=_places, show_default=False),
    ] = None,
    reason: _OfReason = None,
    checkout: _OfCheckout = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also on checkouts that have changed since.")
    ] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for each reply.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line for each.")] = False,
) -> None:
    """Publish commands again as they came, and print their replies. Exit 1 unless all are accepted.

    Each expects the version that its checkout had when it failed, and is rejected if the checkout has
    changed since. A rejection is final for that command: decide on --anyway before, not after.
    """
    if bool(places) == bool(reason or checkout):
        raise typer.BadParameter("give either PARTITION:OFFSET, or --reason and --checkout")
    connection, topics = _setup()
    if places:
        letters = _letters_at(connection, topics, places)
    else:
        letters = _letters(connection, topics, reason, checkout)
    run = RetryRun(connection, topics, wait=wait, anyway=anyway)
    count, accepted = asyncio.run(_retry(run, letters, as_json=as_json))
    if not count and not as_json:
        typer.echo(_NONE)
    if accepted < count:
        raise typer.Exit(1)


async def _list(letters: Letters, *, as_json: bool) -> int:
    count = 0
    async with aclosing(letters):
        async for _, letter in letters:
            if letter:
                typer.echo(json.dumps(summary(letter)) if as_json else line(letter))
                count += 1
    return count


async def _retry(run: RetryRun, letters: Letters, *, as_json: bool) -> tuple[int, int]:
    """The number of retries, and how many of them were accepted."""
    count = accepted = 0
    async with aclosing(letters), aclosing(run.retry(letters)) as results:
        async for result in results:
            typer.echo(json.dumps(result.as_json()) if as_json else escaped(result.line()))
            count += 1
            accepted += result.is_accepted
    return count, accepted


async def _letter_at(connection: KafkaConnection, topics: Topics, place: str) -> DeadLetter | None:
    number, _, offset = place.partition(":")
    record = await record_at(connection, topics.dead_letters, int(number), int(offset))
    return DeadLetter.decode(record) if record else None


async def _letters_at(
    connection: KafkaConnection, topics: Topics, places: Sequence[str]
) -> Letters:
    for place in places:
        yield place, await _letter_at(connection, topics, place)


async def _letters(
    connection: KafkaConnection,
    topics: Topics,
    reason: DeadLetterReason | None,
    checkout: str | None,
) -> Letters:
    async with aclosing(records_of(connection, topics.dead_letters)) as records:
        async for record in records:
            letter = DeadLetter.decode(record)
            if reason and letter.facts.get("reason") != reason:
                continue
            if checkout is None or letter.checkout == checkout:
                yield letter.place, letter


def _setup() -> tuple[KafkaConnection, Topics]:
    configure_logging(as_json=False, level=logging.ERROR)
    settings = Settings.load("kafka_bootstrap_servers")
    return connection_of(settings), Topics(settings.topic_prefix)
