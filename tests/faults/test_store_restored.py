"""A restored event store takes no write until what only Kafka has was imported, and goes on from there."""

import asyncio

import httpx
import pytest

from services.event_store import EventStore, open_store
from tests.eventually import eventually_async
from tests.faults.cluster import API_KEY, Cluster, ServiceProcess
from tests.faults.load_run import start_services, wait_until_ready
from tests.faults.test_relay_position import wait_for_position_problem, wait_until_published
from tests.faults.topic_events import events_on
from tests.services.store_restore.given import back_up, restore_backup

BEARER = {"Authorization": f"Bearer {API_KEY}"}
ITEMS = {"items": [{"id": "item_123", "quantity": 1}]}


@pytest.fixture(params=["postgres", "sqlite"])
def database(request: pytest.FixtureRequest, on_servers: Cluster) -> str:
    if request.param == "sqlite":
        on_servers.database = f"sqlite:///{on_servers.folder}/events.db"
        on_servers.environment["CHECKOUT_EVENT_STORE_URL"] = on_servers.database
    return on_servers.database


async def create(http: httpx.AsyncClient, key: str) -> httpx.Response:
    return await http.post("/v1/checkouts", json=ITEMS, headers={"Idempotency-Key": key})


async def change(http: httpx.AsyncClient, path: str, quantity: int, key: str) -> httpx.Response:
    items = {"items": [{"id": "item_123", "quantity": quantity}]}
    return await http.put(path, json=items, headers={"Idempotency-Key": key})


async def test_a_restored_store_is_noticed_and_goes_on_where_kafka_ends(
    database: str, on_servers: Cluster
):
    api, relay, _ = await start_services(on_servers, "api", "relay", "projector")
    store = open_store(database)
    try:
        async with httpx.AsyncClient(base_url=api.url, headers=BEARER, timeout=15) as http:
            await _story(http, on_servers, store, api, relay)
    finally:
        store.close()


async def _story(
    http: httpx.AsyncClient,
    cluster: Cluster,
    store: EventStore,
    api: ServiceProcess,
    relay: ServiceProcess,
) -> None:
    path = (await create(http, "kept")).headers["location"]
    await wait_until_published(store)
    back_up(cluster.database)
    changed = await change(http, path, 5, "lost")
    lost_path = (await create(http, "created and lost")).headers["location"]
    await wait_until_published(store)
    before = await events_on(cluster)

    await asyncio.to_thread(restore_backup, cluster.database)
    await wait_for_position_problem(relay, "checkout store restored", "the event store has not")
    refused = await change(http, path, 6, "too early")
    assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
    assert "checkout store restored" in (await asyncio.to_thread(api.readiness))["store"]

    done = await asyncio.to_thread(cluster.run, "store", "restored")
    assert done.returncode == 0, done.stderr
    assert f"{lost_path.split('/')[-1]} version" in done.stdout
    assert f"epoch {store.lineage().epoch} begins" in done.stdout
    assert store.lineage().epoch > 0
    await wait_until_ready(api, relay)

    assert (await create(http, "created and lost")).headers["location"] == lost_path
    repeated = await change(http, path, 5, "lost")
    assert repeated.headers["Idempotent-Replayed"] == "true"
    version = changed.headers["etag"].strip('"')
    tag = f'"{version}.{store.lineage().epoch}"'
    assert (repeated.json(), repeated.headers["etag"]) == (changed.json(), tag)

    async def is_changed() -> bool:
        return (await change(http, path, 7, "after it")).status_code == 200

    await eventually_async(is_changed, 20)
    await wait_until_published(store)
    after = await events_on(cluster)
    for checkout_id, versions in after.items():
        assert versions[: len(before[checkout_id])] == before[checkout_id]
        assert versions == [*range(1, versions[-1] + 1)]
    again = await asyncio.to_thread(cluster.run, "audit", "verify")
    assert again.returncode == 0, again.stdout
