"""Starting things: the development system, the demo, and each service on real servers."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import re
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console

from services.dev import DevError
from services.runtime.log_config import configure_logging
from services.runtime.settings import Settings
from services.runtime.shutdown import stop_signal
from services.runtime.tracing import exporting_traces

_PRINTABLE = re.compile(r"[!-~]([ -~]*[!-~])?")


def _sendable_in_a_header(api_key: str | None) -> str | None:
    if api_key is not None and not _PRINTABLE.fullmatch(api_key):
        raise typer.BadParameter("must be printable ASCII without a space at its ends")
    return api_key


def dev(
    api_key: Annotated[
        str | None,
        typer.Option(
            help="The API key to accept; made up if not given.", callback=_sendable_in_a_header
        ),
    ] = None,
    http_port: Annotated[
        int, typer.Option(help="Port of the HTTP API; 0: any free one.", min=0, max=65535)
    ] = 8000,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Directory of the data, made if needed. Without it, it goes at exit.",
            file_okay=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON line when all is ready, for scripts.")
    ] = False,
) -> None:
    """Run the whole system in this process: Kafka's protocol on loopback, SQLite, an own Redis."""
    configure_logging(logging.WARNING, as_json=False)
    embedded = _embedded("services.dev.system")
    with ExitStack() as stack:
        kept = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="checkout-")))
        asyncio.run(_dev(embedded, kept.absolute(), api_key, http_port, as_json=as_json))


def demo() -> None:
    """Tell the story of one checkout through Kafka and HTTP, with each event and the JSON."""
    configure_logging(logging.ERROR, as_json=False)
    asyncio.run(_embedded("services.dev.demo").run(Console()))


def api() -> None:
    """Serve HTTP. Needs the event store, Redis, the merchant book and the API keys."""
    configure_logging()
    needed = ("event_store_url", "redis_url", "merchant_file", "api_keys_file")
    with exporting_traces("api"):
        asyncio.run(_process("http_api").run(Settings.load(*needed)))


def commands() -> None:
    """Serve commands from Kafka. Needs Kafka, the event store, Redis and the merchant book."""
    configure_logging()
    needed = ("kafka_bootstrap_servers", "event_store_url", "redis_url", "merchant_file")
    with exporting_traces("commands"):
        asyncio.run(_process("command_consumer").run(Settings.load(*needed)))


def relay() -> None:
    """Publish events from the event store to Kafka. Needs both."""
    configure_logging()
    with exporting_traces("relay"):
        asyncio.run(
            _process("outbox_relay").run(
                Settings.load("kafka_bootstrap_servers", "event_store_url")
            )
        )


def projector() -> None:
    """Keep the views in Redis up to date. Needs Kafka, the event store and Redis."""
    configure_logging()
    needed = ("kafka_bootstrap_servers", "event_store_url", "redis_url")
    with exporting_traces("projector"):
        asyncio.run(_process("projector").run(Settings.load(*needed)))


async def _dev(
    embedded: ModuleType, data: Path, api_key: str | None, http_port: int, *, as_json: bool
) -> None:
    # From the first moment: what is told to stop while it starts still cleans up after itself.
    stop_requested = stop_signal()
    async with embedded.dev_system(data, api_key, http_port) as system:
        ready = system.ready_line()
        if as_json:
            typer.echo(json.dumps(ready))
        else:
            typer.echo(_introduction(ready))
        await stop_requested.wait()


def _introduction(ready: dict[str, str]) -> str:
    return (
        f"HTTP     {ready['http']}/v1/checkouts   (documents: {ready['http']}/docs, /asyncapi)\n"
        f"Kafka    {ready['kafka']}   (topics: checkout.commands, .events, .replies)\n"
        f"API key  {ready['api_key']}\n"
        f"Data     {ready['data']}\n"
        "Ctrl-C stops it."
    )


def _process(service: str) -> ModuleType:
    """The wiring of one service: a process imports no more than it is made of."""
    return importlib.import_module(f"services.bootstrap.{service}")


def _embedded(module: str) -> ModuleType:
    """A module that needs the embedded servers. Raises `DevError` if they are not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise DevError(
            f"{error.name} is not installed: pip install 'checkout[embedded]' brings it"
        ) from None
