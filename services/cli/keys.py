"""`checkout keys`: creates, lists and revokes API keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from services.runtime.settings import BadSetting, Settings, variable
from services.security.api_keys import Scope, create_key, load_ring, revoke_key

app = typer.Typer(
    no_args_is_help=True,
    help="Create, list and revoke the API keys in the file CHECKOUT_API_KEYS_FILE.",
)
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The name of the client: the actor of its events.")],
    scope: Annotated[list[Scope], typer.Option(help="A permission of the key. Can be repeated.")],
    as_json: _AsJson = False,
) -> None:
    """Create a key and print it once."""
    key, token = create_key(_file(), name, scope)
    if as_json:
        typer.echo(json.dumps({"name": key.name, "scopes": key.scopes, "key": token}))
        return
    typer.echo(token)
    typer.echo("This is the only time the key is shown.", err=True)


@app.command("list")
def list_keys(as_json: _AsJson = False) -> None:
    """List the keys: names, scopes and states, not the keys themselves."""
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
    """Revoke a key. It stops working within seconds, without a restart."""
    key = revoke_key(_file(), name).model_dump(mode="json", exclude={"digest"})
    if as_json:
        typer.echo(json.dumps(key))
        return
    typer.echo(f"{key['name']} is revoked since {key['revoked_at']}")


def _file() -> Path:
    path = Settings.load().api_keys_file
    if path is None:
        raise BadSetting(f"{variable('api_keys_file')} is not set: the file for the keys")
    return path
