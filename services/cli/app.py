"""`checkout`: everything that can be started, and the tools around it."""

from __future__ import annotations

import sys

import typer
from redis.exceptions import RedisError

from domain.checkout import BrokenStream
from services.audit.past import NotThere
from services.audit.views_rebuild import RedisRestarted
from services.cli import audit, dead_letters, keys, payments, run, schemas, send, topics, views
from services.dev import DevError
from services.documents.export import ForeignFile
from services.kafka.admin import WrongTopic
from services.kafka.client import NoReply
from services.kafka.publisher import KafkaUnavailable
from services.keys import BadKeyName, BadKeysFile
from services.payments.by_hand import CannotResolve
from services.settings import BadSetting
from services.store import StoreUnavailable
from services.store.mapper import UnreadableEvent

_BAD_USAGE = (BadSetting, BadKeyName, BadKeysFile)
_FAILURES = (
    BrokenStream,
    CannotResolve,
    DevError,
    ForeignFile,
    KafkaUnavailable,
    NoReply,
    NotThere,
    OSError,
    RedisError,
    RedisRestarted,
    StoreUnavailable,
    UnreadableEvent,
    WrongTopic,
)

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
app.add_typer(audit.app, name="audit")
app.add_typer(views.app, name="views")
app.add_typer(keys.app, name="keys")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(payments.app, name="payments")
app.add_typer(schemas.app, name="schemas")


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
