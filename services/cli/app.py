"""`checkout`: the command line."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

_COMMANDS = {
    "dev": "processes:dev",
    "demo": "processes:demo",
    "api": "processes:api",
    "commands": "processes:commands",
    "relay": "processes:relay",
    "projector": "processes:projector",
    "payments": "payments",
    "topics": "topics:topics",
    "send": "send:send",
    "audit": "audit",
    "views": "views",
    "events": "events",
    "store": "store",
    "keys": "keys",
    "dead-letters": "dead_letters",
    "schemas": "schemas",
}
"""Each command: its module and function, or a module with an `app` of subcommands."""


class _LazyGroup(TyperGroup):
    """Imports only the module of the command that runs, so that a short command starts fast."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Click's signature
        """The command names, in their order."""
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - Click's signature
        """The command of that name, None if there is none."""
        if cmd_name not in _COMMANDS:
            return None
        module_name, _, function = _COMMANDS[cmd_name].partition(":")
        module = importlib.import_module(f"services.cli.{module_name}")
        command = get_command(
            _single_command(getattr(module, function)) if function else module.app
        )
        command.name = cmd_name
        return command


def _single_command(function: Callable[..., None]) -> typer.Typer:
    command = typer.Typer(add_completion=False)
    command.command()(function)
    return command


app = typer.Typer(
    name="checkout",
    cls=_LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def checkout() -> None:
    """An event-sourced checkout on Kafka. Start with `checkout demo` or `checkout dev`."""


def main() -> None:
    """Run the command line. Exits with 0 on success, 1 on failure, 2 on bad usage."""
    try:
        app()
    except Exception as error:
        from services.cli.exit_status import exit_status

        status = exit_status(error)
        if status is None:
            raise
        typer.echo(f"checkout: {error}", err=True)
        sys.exit(status)
