"""The errors of the store, and what becomes one of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import eventsourcing.persistence as es
import psycopg

from services.event_store.recorder import WritesRefused

_DATABASE_FAILURES = (
    es.PersistenceError,
    es.ConnectionPoolClosedError,
    psycopg.Error,
    sqlite3.Error,
    OSError,
)


class StoreUnavailable(Exception):
    """The database failed. Whether a write was recorded is unknown."""


class SchemaOutdated(Exception):
    """The store lacks tables or columns that this build needs. The message names the command to run."""


class WritesStopped(StoreUnavailable):
    """Writes are stopped until `checkout store restored` has run. The message says why."""


class Conflict(Exception):
    """Another writer recorded one of these versions or outcomes first. Nothing was written."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise errors of the databases and of the eventsourcing library as the store's own."""
    try:
        yield
    except WritesRefused as error:
        raise WritesStopped(str(error)) from error
    except es.IntegrityError as error:
        raise Conflict(str(error)) from error
    except es.DataError:
        # The data is at fault, not the database: a retry would never help.
        raise
    except _DATABASE_FAILURES as error:
        raise StoreUnavailable(str(error) or type(error).__name__) from error
