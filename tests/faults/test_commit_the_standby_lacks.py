"""A commit that can be seen on the primary, and that its synchronous standby lacks, is not confirmed."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from services.command_handling import Accepted
from services.event_store import StoreUnavailable, open_store
from tests.eventually import eventually
from tests.servers.postgres_pair import PostgresPair, postgres_pair
from tests.services.command_handling.given import create, handler_on
from tests.services.event_store.test_postgres_failing import is_up

_WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def _waiting(pair: PostgresPair, what: str = "count(*)") -> int:
    with psycopg.connect(pair.primary.url, autocommit=True) as connection:
        row = connection.execute(f"SELECT {what} {_WAITING}".encode()).fetchone()
    return int(row[0]) if row else 0


@pytest.mark.parametrize("is_remembered", [True, False])
def test_a_repeat_of_a_commit_that_the_standby_lacks_is_answered_when_the_standby_has_it(
    is_remembered: bool,
):
    command = create(remembered=is_remembered)
    with (
        postgres_pair() as pair,
        closing(open_store(pair.url)) as store,
        ThreadPoolExecutor(1) as pool,
    ):
        handler = handler_on(store)
        pair.wait_until_replicating()
        pair.stop_standby()
        first = pool.submit(handler.handle, [command])
        eventually(lambda: _waiting(pair) == 1, within=30)
        _waiting(pair, "pg_terminate_backend(pid)::int")
        with pytest.raises(StoreUnavailable):
            first.result(30)
        version = store.version("a")
        assert version, "the commit can be seen"
        handler.forget()

        repeat = pool.submit(handler.handle, [command])
        eventually(lambda: _waiting(pair) == 1 or repeat.done(), within=30)
        assert not repeat.done()
        pair.start_standby()
        [answer] = repeat.result(60)
        assert isinstance(answer, Accepted)
        assert answer.repeated

        pair.fail_over()
        eventually(lambda: is_up(store), within=30)
        assert store.version("a") == version
