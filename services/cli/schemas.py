"""`checkout schemas`: the JSON Schemas of the messages, for other languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from services.messages.schema_export import export as write_schemas

app = typer.Typer(no_args_is_help=True, help="JSON Schemas of the messages on Kafka.")


@app.callback()
def _schemas() -> None:
    """Without this, Typer would make a single command of an app that has but one."""


@app.command()
def export(
    directory: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", file_okay=False, help="The directory to write to; created if missing."
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the paths as a JSON list.")
    ] = False,
) -> None:
    """Write a JSON Schema (draft 2020-12) for each message: commands, events by version, replies.

    Each file is self-contained; index.json lists the file of each type. Files of an earlier export are
    replaced. Other files are never touched: if one is in the way, the command names it and writes nothing.
    """
    written = [str(path) for path in write_schemas(directory)]
    typer.echo(json.dumps(written) if as_json else "\n".join(written))
