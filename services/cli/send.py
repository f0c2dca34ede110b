"""`checkout send`."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import uuid
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from domain.commands import COMMANDS
from domain.values import CHECKOUT_ID_PATTERN
from services.kafka.connection import connection_of
from services.kafka.topics import Topics
from services.messages.cloud_events import TYPE_PREFIX, type_of
from services.messages.command_client import CommandClient, CommandToSend, Reply
from services.runtime.log_config import configure_logging
from services.runtime.settings import Settings


def _checkout_id(given: str) -> str:
    if not re.fullmatch(CHECKOUT_ID_PATTERN, given):
        raise typer.BadParameter("an id is 1 to 64 of A-Z a-z 0-9 _ -; no reply could be sent")
    return given


def _file_or_dash(given: Path | None) -> Path | None:
    if given and str(given) != "-" and (given.is_dir() or not given.exists()):
        raise typer.BadParameter(f"there is no file {given}")
    return given


def send(
    command_type: Annotated[
        str, typer.Argument(metavar="TYPE", help=f"One of {', '.join(COMMANDS)}.")
    ],
    checkout_id: Annotated[
        str, typer.Argument(metavar="ID", help="The checkout's id.", callback=_checkout_id)
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            help="File with the command's JSON; - for standard input.",
            callback=_file_or_dash,
        ),
    ] = None,
    command_id: Annotated[
        str | None,
        typer.Option(help="ce_id; the same one again is a repeat. Random by default."),
    ] = None,
    source: Annotated[
        str, typer.Option(help="ce_source: the name of the sender.")
    ] = "/checkout/cli",
    expected_version: Annotated[
        int | None, typer.Option(help="Reject unless the checkout is at this version.")
    ] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the reply.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the reply on one line.")] = False,
) -> None:
    """Publish a command and print its reply. Exit 1 if it is rejected or no reply arrives."""
    configure_logging(as_json=False, level=40)
    settings = Settings.load("kafka_bootstrap_servers")
    command = CommandToSend(
        type=type_of(command_type.removeprefix(TYPE_PREFIX)),
        checkout_id=checkout_id,
        body=_read(data),
        source=source,
        command_id=command_id or uuid.uuid4().hex,
        expected_version=expected_version,
    )
    reply = asyncio.run(_send(settings, command, wait))
    if as_json:
        typer.echo(json.dumps({"type": reply.type, "data": reply.data}))
    else:
        console = Console()
        console.print(reply.type)
        console.print_json(data=reply.data)
    if not reply.is_accepted:
        raise typer.Exit(1)


async def _send(settings: Settings, command: CommandToSend, wait: float) -> Reply:
    topics = Topics(settings.topic_prefix)
    async with CommandClient(connection_of(settings), topics) as client:
        return await client.send(command, wait)


def _read(data: Path | None) -> bytes | None:
    if data is None:
        return None
    return sys.stdin.buffer.read() if str(data) == "-" else data.read_bytes()
