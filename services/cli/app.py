"""`checkout`: everything that can be started, and the tools around it."""

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
    "keys": "keys",
    "dead-letters": "dead_letters",
    "schemas": "schemas",
}
"""Each command, and its module with its function, or with an app of more commands."""


class _Lazily(TyperGroup):
    """Imports the module of the command that is asked for: whoever makes a key need not wait for Kafka."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Click's signature
        """The names, in their order."""
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - Click's signature
        """The command of that name, None if there is none."""
        if cmd_name not in _COMMANDS:
            return None
        module_name, _, function = _COMMANDS[cmd_name].partition(":")
        module = importlib.import_module(f"services.cli.{module_name}")
        command = get_command(_alone(getattr(module, function)) if function else module.app)
        command.name = cmd_name
        return command


def _alone(function: Callable[..., None]) -> typer.Typer:
    single = typer.Typer(add_completion=False)
    single.command()(function)
    return single


app = typer.Typer(
    name="checkout",
    cls=_Lazily,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def checkout() -> None:
    """An event-sourced checkout on Kafka. Begin with `checkout demo` or `checkout dev`."""


def main() -> None:
    """Run the command line: exit 0 when all is well, 1 when something failed, 2 on bad usage."""
    try:
        app()
    except Exception as error:
        from services.cli.exit_status import exit_status

        status = exit_status(error)
        if status is None:
            raise
        typer.echo(f"checkout: {error}", err=True)
        sys.exit(status)
