"""Opens the store that a URL names, and its schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from services.event_store.errors import translated
from services.event_store.postgres import PostgresRecorder
from services.event_store.postgres_connection import connection_parameters
from services.event_store.postgres_schema import PostgresSchema
from services.event_store.schema_version import Schema
from services.event_store.sqlite import SQLiteRecorder, creation_lock
from services.event_store.sqlite_schema import SQLiteSchema
from services.event_store.store import EventStore

_SQLITE = "sqlite:///"


def open_store(url: str, *, may_migrate: bool = True) -> EventStore:
    """Open `sqlite:///path` or `postgresql://…`, and apply the migrations that the store lacks.

    Raises `ValueError` for another URL, `StoreUnavailable` if the database can't be reached,
    `SchemaOutdated` if migrations are missing and `may_migrate` is false, or the role has no right to them.
    """
    with translated():
        if url.startswith(_SQLITE):
            return EventStore(SQLiteRecorder(_path(url), may_migrate=may_migrate))
        _require_postgres(url)
        return EventStore(PostgresRecorder(url, may_migrate=may_migrate))


@contextmanager
def open_schema(url: str) -> Iterator[Schema]:
    """The schema of the store at a URL, which need not exist yet. Raises as `open_store` does."""
    with translated():
        if url.startswith(_SQLITE):
            path = _path(url)
            with creation_lock(path):
                yield SQLiteSchema(path)
            return
        _require_postgres(url)
        with psycopg.connect(**connection_parameters(url), autocommit=True) as connection:
            yield PostgresSchema(connection)


def _path(url: str) -> Path:
    return Path(url.removeprefix(_SQLITE))


def _require_postgres(url: str) -> None:
    if not url.startswith(("postgresql://", "postgres://")):
        scheme, colon, _ = url.partition(":")
        raise ValueError(
            f"must begin with sqlite:/// or postgresql://, not with {scheme + colon!r}"
        )
