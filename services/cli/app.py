"""`checkout`: everything that can be started, and the tools around it."""

from __future__ import annotations

import sys

import typer

from services.cli import dead_letters, keys, run, send, topics
from services.dev import DevError
from services.kafka.admin import WrongTopic
from services.kafka.client import NoReply
from services.kafka.publisher import KafkaUnavailable
from services.keys import BadKeyName, BadKeysFile
from services.settings import BadSetting
from services.store import StoreUnavailable

_BAD_USAGE = (BadSetting, BadKeyName, BadKeysFile)
_FAILURES = (DevError, KafkaUnavailable, NoReply, OSError, StoreUnavailable, WrongTopic)

app = typer.Typer(
    name="checkout",
    help="An event-sourced checkout on Kafka. Begin with `checkout demo` or `checkout dev`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
run.add_to(app)
app.command()(topics.topics)
app.command()(send.send)
app.add_typer(keys.app, name="keys")
app.add_typer(dead_letters.app, name="dead-letters")


def main() -> None:
    """Run the command line: exit 0 when all is well, 1 when something failed, 2 on bad usage."""
    try:
        app()
    except _BAD_USAGE as error:
        _fail(error, 2)
    except _FAILURES as error:
        _fail(error, 1)


def _fail(error: Exception, code: int) -> None:
    typer.echo(f"checkout: {error}", err=True)
    sys.exit(code)
