"""What the audit commands share: arguments, settings and the store that they read."""

from __future__ import annotations

import logging
import re
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from domain.values import CHECKOUT_ID_PATTERN
from services.bootstrap.connections import opened_store
from services.event_store import EventStore
from services.messages.rfc3339 import parse_rfc3339
from services.runtime.log_config import configure_logging
from services.runtime.settings import BadSetting, Settings, variable


def checkout_ids(given: list[str] | str | None) -> list[str] | str | None:
    """Validates arguments that are checkout ids. Raises `typer.BadParameter`."""
    for checkout_id in [given] if isinstance(given, str) else given or ():
        if not re.fullmatch(CHECKOUT_ID_PATTERN, checkout_id):
            raise typer.BadParameter("a checkout's id is 1 to 64 of A-Z a-z 0-9 _ -")
    return given


def moment(given: str) -> datetime:
    """Parses options that are a time: RFC 3339 with an offset. Raises `typer.BadParameter`."""
    found = parse_rfc3339(given)
    if found:
        return found
    raise typer.BadParameter(
        f"{given} is no RFC 3339 date and time with its offset, such as 2024-09-30T14:30:00Z"
    )


CheckoutId = Annotated[
    str, typer.Argument(metavar="ID", help="The checkout's id.", callback=checkout_ids)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one line for each.")]


def audited(*needed: str) -> Settings:
    """The settings; those of the store and `needed` must be set. Raises `BadSetting`."""
    configure_logging(as_json=False, level=logging.ERROR)
    return Settings.load("event_store_url", *needed)


def store_of(settings: Settings) -> AbstractAsyncContextManager[EventStore]:
    """Opens the store to audit, and changes nothing in it. Raises `BadSetting` if an SQLite file is missing
    (a service would create an empty one, which has no violations), `SchemaOutdated` if it was not migrated.
    """
    require_file(settings)
    return opened_store(settings, may_migrate=False)


def require_file(settings: Settings) -> None:
    """Raises `BadSetting` if the store is an SQLite file that is missing."""
    url = settings.event_store_url.get_secret_value() if settings.event_store_url else ""
    path = url.removeprefix("sqlite:///")
    if path != url and not Path(path).is_file():
        raise BadSetting(f"{variable('event_store_url')}: there is no file {path}")
