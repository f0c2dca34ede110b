"""The relay stops, and says so, when the store or the topic is not the one it knows; and goes on."""

import asyncio
import json
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from services.event_store import EventStore, open_store
from tests.eventually import eventually_async
from tests.faults.cluster import Cluster, ServiceProcess
from tests.faults.load_run import start_services, wait_until_ready
from tests.faults.topic_events import events_on, make_anew
from tests.services.event_store.samples import stream

CHECKOUTS = 40


@pytest.fixture
def store(on_servers: Cluster) -> Iterator[EventStore]:
    store = open_store(on_servers.database)
    yield store
    store.close()


async def wait_until_published(store: EventStore) -> None:
    async def is_published() -> bool:
        return store.publication.read().position == store.newest()

    await eventually_async(is_published, 30)


async def wait_for_position_problem(relay: ServiceProcess, *parts: str) -> None:
    async def is_reported() -> bool:
        try:
            problem = (await asyncio.to_thread(relay.readiness))["position"]
        except (httpx.HTTPError, KeyError):  # it is starting
            return False
        return all(part in problem for part in parts)

    await eventually_async(is_reported, 30)
    assert not await asyncio.to_thread(relay.is_ready)
    assert not relay.has_exited()


async def test_a_relay_ahead_of_its_store_publishes_nothing_until_it_gets_a_position(
    on_servers: Cluster, store: EventStore
):
    [relay] = await start_services(on_servers, "relay")
    store.append(stream("kept", 1, 4))
    kept = store.newest()
    store.append(stream("lost", 1, 3))
    await wait_until_published(store)
    newest = store.newest()

    with psycopg.connect(on_servers.database) as database:
        database.execute("DELETE FROM stored_events WHERE notification_id > %s", [kept])
    await wait_for_position_problem(relay, f"position {newest}", f"at {kept}", "--from POSITION")

    # Renumbered: the position exists again, as another event.
    with psycopg.connect(on_servers.database) as database:
        database.execute(
            "SELECT setval(pg_get_serial_sequence('stored_events', 'notification_id'), %s, false)",
            [newest],
        )
    store.append(stream("new", 1, 2))
    await wait_for_position_problem(relay, f"position {newest} the relay published lost version 3")
    assert "new" not in await events_on(on_servers)

    too_far = on_servers.run("events", "republish", "--from", f"{newest + 9}")
    assert too_far.returncode == 2
    done = await asyncio.to_thread(on_servers.run, "events", "republish", "--from", f"{kept}")
    assert done.returncode == 0, done.stderr
    await wait_until_ready(relay)
    assert (await events_on(on_servers))["new"] == [1, 2]


async def test_events_are_published_again_on_a_topic_that_was_made_anew(
    on_servers: Cluster, store: EventStore
):
    relay, standby = await start_services(on_servers, "relay", "relay")
    for number in range(CHECKOUTS):
        store.append(stream(f"c{number}", 1, 30))
    await wait_until_published(store)

    await make_anew(on_servers)
    for number in range(CHECKOUTS):
        store.append(stream(f"c{number}", 31, 31))
    for each in (relay, standby):
        await wait_for_position_problem(each, f"{on_servers.prefix}events", "events republish")
    await asyncio.to_thread(relay.kill)
    relay.start()
    await wait_for_position_problem(relay, f"{on_servers.prefix}events", "events republish")
    assert await events_on(on_servers) == {}

    running = asyncio.create_task(
        asyncio.to_thread(on_servers.run, "events", "republish", "--json")
    )

    async def has_begun() -> bool:
        return 0 < store.publication.read().position < store.newest()

    await eventually_async(has_begun, 30)
    await asyncio.to_thread(standby.kill)
    for number in range(CHECKOUTS):
        store.append(stream(f"c{number}", 32, 32))
    done = await running
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["complete"] is True
    await wait_until_published(store)
    await wait_until_ready(relay)

    on_topic = await events_on(on_servers)
    assert len(on_topic) == CHECKOUTS
    for versions in on_topic.values():
        assert list(dict.fromkeys(versions)) == [*range(1, 33)]
