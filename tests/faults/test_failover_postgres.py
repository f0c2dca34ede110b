"""PostgreSQL fails over to its standby under load: a synchronous one loses nothing."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import psycopg
import pytest

from services.event_store import EventStore, WritesStopped, open_store
from services.event_store.recorder import StreamRange
from services.event_store.server_watch import COMPARING
from tests.eventually import eventually
from tests.faults.cluster import Cluster
from tests.faults.load_run import start_services, under_load, wait_for_count
from tests.servers.postgres import fresh_database
from tests.servers.postgres_pair import PostgresPair, postgres_pair
from tests.services.event_store.samples import event, stream
from tests.services.event_store.test_postgres_failing import is_up

WRITES_AGAIN_SECONDS = 10
"""The contract's promise, counted from the moment when the new primary takes writes."""


@pytest.fixture
def pair() -> Iterator[PostgresPair]:
    with postgres_pair() as made:
        yield made


async def test_a_failover_to_the_synchronous_standby_loses_nothing_accepted(
    on_pair: Cluster, pair: PostgresPair
):
    services = await start_services(on_pair, "api", "commands", "relay", "projector", "payments")
    async with under_load(on_pair, services, buyers=2) as counts:
        for _ in range(2):  # There, and back to the first server, which the URL names first.
            await wait_for_count(counts, "http writes", by=50)
            await asyncio.to_thread(pair.fail_over)
            promoted_at = time.monotonic()
            await wait_for_count(counts, "http writes", by=5, within=60)
            seconds = time.monotonic() - promoted_at
            sys.stdout.write(f"HTTP wrote {seconds:.1f} s after the promotion\n")
            assert seconds < WRITES_AGAIN_SECONDS
            await asyncio.to_thread(pair.add_standby)


def test_connections_lock_and_notifications_of_a_store_follow_the_primary(pair: PostgresPair):
    with (
        fresh_database(pair.url) as url,
        closing(open_store(url)) as store,
        closing(open_store(url)) as other,
    ):
        store.append([event("one", 1)])
        is_held = store.try_lock("relay")
        assert is_held is not None
        assert other.try_lock("relay") is None
        woken: list[float] = []
        stop_watching = other.watch(lambda: woken.append(time.monotonic()))

        pair.fail_over()

        eventually(lambda: is_up(store), within=30)
        assert not is_held()
        assert other.try_lock("relay") is not None
        accept(store)
        store.append([event("one", 2)])
        assert store.read((), [StreamRange("one")]).streams["one"] == stream("one", 1, 2)

        def is_notified() -> bool:
            version = store.version("one") + 1
            seen = len(woken)
            store.append([event("one", version)])
            time.sleep(0.2)
            return len(woken) > seen

        eventually(is_notified, within=30)
        stop_watching()


def test_a_store_opens_on_the_primary_whatever_the_order_of_the_hosts(pair: PostgresPair):
    hosts = pair.primary.address, pair.standby.address
    for addresses in (hosts, hosts[::-1]):
        url = f"postgresql://postgres@{','.join(addresses)}/postgres"
        with closing(open_store(url)) as store:
            position = store.position("relay")
            store.advance("relay", position + 1)
            assert store.position("relay") == position + 1


def test_an_asynchronous_standby_that_is_promoted_lacks_the_last_commits():
    with postgres_pair(synchronous=False) as pair, closing(open_store(pair.url)) as store:
        store.append([event("one", 1)])
        pair.pause_replication()
        store.append([event("one", 2)])
        lineage = store.lineage()

        pair.fail_over_with_loss()

        eventually(lambda: is_up(store), within=30)
        assert store.version("one") == 1
        assert store.lineage() == lineage
        with pytest.raises(WritesStopped, match="another PostgreSQL server"):
            store.append([event("one", 2)])


def accept(store: EventStore) -> None:
    """Compare the new server as the relay does, without Kafka."""
    watch = store.server_watch
    assert watch is not None

    def is_due() -> bool:
        watch.look()
        return watch.is_due()

    eventually(is_due, within=30)
    assert watch.accept()


def test_a_failover_without_loss_takes_writes_after_the_comparison_in_the_same_epoch(
    pair: PostgresPair,
):
    with closing(open_store(pair.url)) as store, closing(open_store(pair.url)) as other:
        store.append([event("one", 1)])
        before = store.lineage()
        pair.fail_over()
        eventually(lambda: is_up(store), within=30)

        # Refused at once: before any process has looked at the server.
        with pytest.raises(WritesStopped, match="another PostgreSQL server"):
            store.append([event("one", 2)])
        accept(store)

        other.append([event("one", 2)])
        assert store.lineage() == before
        assert store.write_guard.reason() is None


@pytest.mark.parametrize("knows", ["by its own commit", "by looking"])
def test_a_process_that_knows_a_lost_commit_keeps_writes_stopped(knows: str):
    with (
        postgres_pair(synchronous=False) as pair,
        closing(open_store(pair.url)) as writer,
        closing(open_store(pair.url)) as relay,
    ):
        writer.append([event("one", 1)])
        pair.pause_replication()
        writer.append([event("one", 2)])
        witness = writer
        if knows == "by looking":
            witness = relay
            assert relay.server_watch
            relay.server_watch.look()
        pair.fail_over_with_loss()
        eventually(lambda: is_up(relay), within=30)

        with closing(open_store(pair.url)) as later:
            # One that was not there before begins the comparison, and the witness ends it.
            assert later.server_watch
            assert witness.server_watch
            later.server_watch.look()
            assert later.write_guard.reason() == COMPARING
            witness.server_watch.look()
            assert "checkout store restored" in str(later.write_guard.reason())
            assert not later.server_watch.accept()
            with pytest.raises(WritesStopped, match="position 2 was committed"):
                later.append([event("one", 2)])


def test_a_process_that_looked_before_the_comparison_ended_stops_writes_for_a_moment_only(
    postgres_url: str,
):
    with fresh_database(postgres_url) as url, closing(open_store(url)) as store:
        assert store.server_watch
        store.append([event("one", 1)])

        # What it does if its query was answered before another process accepted the server.
        store.server_watch.object(COMPARING)

        with pytest.raises(WritesStopped):
            store.append([event("one", 2)])

        store.server_watch.look()
        store.append([event("one", 2)])


def test_a_restored_copy_of_the_database_takes_no_write_before_it_was_compared(
    postgres_url: str,
):
    with fresh_database(postgres_url) as url:
        with closing(open_store(url)) as store:
            store.append([event("one", 1)])
        name = urlsplit(url).path[1:]
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}_copy TEMPLATE {name}".encode())
        try:
            with (
                closing(open_store(url.replace(name, f"{name}_copy"))) as copy,
                pytest.raises(WritesStopped, match="another PostgreSQL server"),
            ):
                copy.append([event("one", 2)])
        finally:
            with psycopg.connect(postgres_url, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name}_copy".encode())
