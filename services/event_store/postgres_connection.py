"""Connects to the PostgreSQL servers that a URL names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from eventsourcing.postgres import PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

_KEEPALIVE = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""When a server that vanished counts as lost (libpq: seconds; `tcp_user_timeout`: milliseconds)."""

_ROLE = {"target_session_attrs": "read-write"}
"""Connect to a primary only: a standby takes no write, and what it shows may be outdated."""


def connection_parameters(url: str, connect_timeout: float = 5.0) -> dict[str, Any]:
    """The URL's parameters. Raises `ValueError` that does not quote the URL, which may hold a password."""
    defaults = {**_KEEPALIVE, **_ROLE, "connect_timeout": round(connect_timeout)}
    try:
        return {**defaults, **conninfo_to_dict(url)}
    except psycopg.ProgrammingError:
        raise ValueError("is not a PostgreSQL URL, or has an unknown parameter") from None


def datastore_of(parameters: Mapping[str, Any], connect_timeout: float) -> PostgresDatastore:
    """The eventsourcing library's connection pool with these parameters."""
    given = dict(parameters)
    datastore = PostgresDatastore(
        dbname=given.pop("dbname", ""),
        host=given.pop("host", ""),
        port=given.pop("port", "5432"),
        user=given.pop("user", ""),
        password=given.pop("password", ""),
        connect_timeout=connect_timeout,
        # A writer that hangs inside its transaction would block all others.
        idle_in_transaction_session_timeout=5.0,
        pool_size=1,
        max_overflow=7,
        pre_ping=True,
        originator_id_type="text",
    )
    # The library has no parameter for the others (sslmode, sslrootcert, …); libpq takes them.
    if isinstance(datastore.pool.kwargs, dict):
        datastore.pool.kwargs.update(given)
    # The pool doubles its pauses for minutes, long after the server may be back.
    datastore.pool.reconnect_timeout = connect_timeout
    return datastore
