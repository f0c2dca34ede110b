"""The services notice a failover of PostgreSQL, and whether it lost commits."""

import asyncio
import time
from contextlib import closing

import httpx

from services.event_store import open_store
from tests.eventually import eventually, eventually_async
from tests.faults.cluster import Cluster, SharedServer, cluster_on
from tests.faults.load_run import start_services, under_load, wait_for_count, wait_until_ready
from tests.faults.test_failover_postgres import WRITES_AGAIN_SECONDS
from tests.faults.test_store_restored import BEARER, change, create
from tests.servers.kafka import own_kafka
from tests.servers.postgres_pair import PostgresPair, postgres_pair
from tests.services.event_store.test_postgres_failing import is_up


async def test_a_synchronous_failover_begins_no_epoch_also_while_kafka_is_down():
    with (
        own_kafka() as kafka,
        postgres_pair() as pair,
        cluster_on(kafka, pair) as cluster,
        closing(open_store(cluster.database)) as store,
    ):
        before = store.lineage()
        services = await start_services(cluster, "api", "commands", "relay", "projector")
        async with under_load(cluster, services) as counts:
            await wait_for_count(counts, "http writes", by=50)
            await asyncio.to_thread(kafka.stop)
            await asyncio.to_thread(pair.fail_over)
            promoted_at = time.monotonic()
            await wait_for_count(counts, "http writes", by=5, within=60)
            assert time.monotonic() - promoted_at < WRITES_AGAIN_SECONDS
            assert store.lineage() == before
            await asyncio.to_thread(kafka.start)
        assert store.lineage() == before


async def test_a_lost_commit_that_was_never_published_gets_a_new_etag_after_the_restore(
    kafka_bootstrap: str,
):
    with (
        postgres_pair(synchronous=False) as pair,
        cluster_on(SharedServer(kafka_bootstrap), pair) as cluster,
    ):
        await _lose_an_unpublished_commit(cluster, pair)


async def _lose_an_unpublished_commit(cluster: Cluster, pair: PostgresPair) -> None:
    api, relay, _ = await start_services(cluster, "api", "relay", "projector")
    with closing(open_store(cluster.database)) as store:
        async with httpx.AsyncClient(base_url=api.url, headers=BEARER, timeout=15) as http:
            path = (await create(http, "kept")).headers["location"]
            relay.kill()
            await asyncio.to_thread(pair.pause_replication)
            lost = await change(http, path, 5, "lost")
            assert lost.status_code == 200

            await asyncio.to_thread(pair.fail_over_with_loss)
            relay.start()
            await asyncio.to_thread(eventually, lambda: is_up(store), 30)
            refused = await change(http, path, 6, "too early")
            assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")

            async def is_named() -> bool:
                return "checkout store restored" in api.readiness()["store"]

            await eventually_async(is_named, 30)
            # Longer than a comparison takes: nothing lets writes go on.
            await asyncio.sleep(5)
            assert (await change(http, path, 6, "still too early")).status_code == 503

            done = await asyncio.to_thread(cluster.run, "store", "restored")
            assert done.returncode == 0, done.stderr
            await wait_until_ready(api, relay)

            async def is_changed() -> bool:
                return (await change(http, path, 7, "after it")).status_code == 200

            await eventually_async(is_changed, 30)
            shown = await http.get(path)
            assert shown.json()["line_items"][0]["item"]["quantity"] == 7
            assert shown.headers["etag"] != lost.headers["etag"]
            assert store.lineage().epoch > 0
