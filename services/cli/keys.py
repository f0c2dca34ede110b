"""`checkout keys`: the API keys in the file that CHECKOUT_API_KEYS_FILE names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from services.runtime.settings import BadSetting, Settings, variable
from services.security.api_keys import Scope, create_key, load_ring, revoke_key

app = typer.Typer(
    no_args_is_help=True,
    help="Create, list and revoke the API keys in the file that CHECKOUT_API_KEYS_FILE names.",
)
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who it is for; events tell who asked by it.")],
    scope: Annotated[
        list[Scope], typer.Option(help="What it may do; may be given more than once.")
    ],
    as_json: _AsJson = False,
) -> None:
    """Create a key and show it, once."""
    key, token = create_key(_file(), name, scope)
    if as_json:
        typer.echo(json.dumps({"name": key.name, "scopes": key.scopes, "key": token}))
        return
    typer.echo(token)
    typer.echo("This is the only time that the key is shown.", err=True)


@app.command("list")
def list_keys(as_json: _AsJson = False) -> None:
    """List the keys by name, never themselves."""
    keys = [key.model_dump(mode="json", exclude={"digest"}) for key in load_ring(_file()).keys]
    if as_json:
        typer.echo(json.dumps(keys))
        return
    for key in keys:
        state = f"revoked {key['revoked_at']}" if key["revoked_at"] else "valid"
        typer.echo(
            f"{key['name']}  {' '.join(key['scopes'])}  created {key['created_at']}  {state}"
        )


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The key's name.")], as_json: _AsJson = False
) -> None:
    """Revoke a key: it stops working within seconds, without a restart."""
    key = revoke_key(_file(), name).model_dump(mode="json", exclude={"digest"})
    if as_json:
        typer.echo(json.dumps(key))
        return
    typer.echo(f"{key['name']} is revoked since {key['revoked_at']}")


def _file() -> Path:
    path = Settings.load().api_keys_file
    if path is None:
        raise BadSetting(f"{variable('api_keys_file')} is not set: the file to keep the keys in")
    return path
