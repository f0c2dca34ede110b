"""A PostgreSQL primary and a standby that takes over from it, with or without a loss of commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.eventually import eventually
from tests.servers.postgres import OwnPostgres

_OPTIONS = ("-c", "wal_retrieve_retry_interval=500ms")
"""A standby connects again soon after a restart of the primary."""


class PostgresPair:
    """A primary whose commits wait for its standby, or, if not `synchronous`, don't.

    `url` names both servers, and a client connects to the one that is the primary.
    """

    def __init__(self, *, synchronous: bool = True) -> None:
        self._synchronous = synchronous
        self.primary, self.standby = OwnPostgres(options=_OPTIONS), OwnPostgres(options=_OPTIONS)
        self._addresses = f"{self.primary.address},{self.standby.address}"

    @property
    def url(self) -> str:
        """URL of the server owner's database, on whichever server is the primary."""
        return f"postgresql://postgres@{self._addresses}/postgres?target_session_attrs=read-write"

    def initialise(self) -> None:
        """Start the primary, and the standby from a copy of it."""
        self.primary.initialise()
        self.primary.start()
        self.add_standby()

    def add_standby(self) -> None:
        """Make the standby a copy of the primary and start it; from then on commits wait for it."""
        self.standby.copy_from(self.primary)
        self.standby.start()
        # Only after the copy: a standby that is promoted must not wait for a standby of its own.
        names = "*" if self._synchronous else ""
        _execute(self.primary, f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        _execute(self.primary, "SELECT pg_reload_conf()")
        self.wait_until_replicating()

    def wait_until_replicating(self) -> None:
        """Wait until the standby has all that was committed so far and, if synchronous, is waited for."""
        committed = _value(self.primary, "SELECT pg_current_wal_flush_lsn()")
        query = (
            "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' "
            f"AND sync_state = '{'sync' if self._synchronous else 'async'}' "
            f"AND flush_lsn >= '{committed}'"
        )
        eventually(lambda: _value(self.primary, query) == 1, within=60)

    def fail_over(self) -> None:
        """Kill the primary and promote the standby. Until `add_standby`, there is no other one.

        The standby must be replicating: PostgreSQL shows commits that it has not sent to a standby to
        everybody after a restart, so promoting a standby that is not connected loses them.
        """
        self.wait_until_replicating()
        self._promote()

    def stop_standby(self) -> None:
        """Stop the standby: if it is synchronous, commits wait from now on."""
        self.standby.stop_at_once()

    def start_standby(self) -> None:
        """Start the standby again, without waiting until it has caught up."""
        self.standby.start()

    def pause_replication(self) -> None:
        """Disconnect the standby: what is committed from now on is lost by the next failover."""
        assert not self._synchronous, "commits would wait for the standby"
        self.wait_until_replicating()
        _execute(self.standby, "ALTER SYSTEM SET primary_conninfo = ''")
        _execute(self.standby, "SELECT pg_reload_conf()")
        query = "SELECT count(*) FROM pg_stat_replication"
        eventually(lambda: _value(self.primary, query) == 0, within=30)

    def fail_over_with_loss(self) -> None:
        """Kill the primary and promote the standby, which lacks what was committed since the pause."""
        lost = self.standby_lacks_commits()
        assert lost, "the standby lacks nothing: call pause_replication() and commit something"
        self._promote()

    def standby_lacks_commits(self) -> bool:
        """Whether the primary has committed something that the standby has not received."""
        received = _value(self.standby, "SELECT pg_last_wal_replay_lsn()")
        return bool(_value(self.primary, f"SELECT pg_current_wal_flush_lsn() > '{received}'"))

    def stop_at_once(self) -> None:
        """Stop the primary without a checkpoint."""
        self.primary.stop_at_once()

    def start(self) -> None:
        """Start the primary again."""
        self.primary.start()

    def remove(self) -> None:
        """Stop both servers and delete their data."""
        for server in (self.standby, self.primary):
            server.stop_at_once()
            server.remove()

    def _promote(self) -> None:
        self.primary.kill()
        self.primary, self.standby = self.standby, self.primary
        assert _value(self.primary, "SELECT pg_promote(true, 60)")


def _execute(server: OwnPostgres, statement: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        # Not for a standby: it may be the one that this statement makes the commits wait for.
        connection.execute("SET synchronous_commit = local")
        connection.execute(statement)


def _value(server: OwnPostgres, query: str) -> Any:
    with psycopg.connect(server.url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


@contextmanager
def postgres_pair(*, synchronous: bool = True) -> Iterator[PostgresPair]:
    """A new primary and its standby, which the test may fail over."""
    pair = PostgresPair(synchronous=synchronous)
    try:
        pair.initialise()
        yield pair
    finally:
        pair.remove()
