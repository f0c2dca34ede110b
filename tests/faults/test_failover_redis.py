"""Sentinel fails Redis over to its replica under load: clients go on, and no reader goes back."""

import asyncio
import signal
from collections.abc import Iterator

import httpx
import pytest

from tests.eventually import eventually_async
from tests.faults.cluster import API_KEY, Cluster, SharedServer, cluster_on
from tests.faults.load_run import (
    find_service,
    start_services,
    under_load,
    wait_for_count,
    wait_until_ready,
)
from tests.servers.redis_sentinel import RedisWithSentinels, redis_with_sentinels


@pytest.fixture
def sentinels() -> Iterator[RedisWithSentinels]:
    with redis_with_sentinels(
        password="of-the-servers", sentinel_password="of-the-sentinels"
    ) as made:
        yield made


@pytest.fixture
def on_sentinels(
    kafka_bootstrap: str, postgres_url: str, sentinels: RedisWithSentinels
) -> Iterator[Cluster]:
    kafka, postgres = SharedServer(kafka_bootstrap), SharedServer(postgres_url)
    with cluster_on(kafka, postgres, sentinels) as made:
        yield made


async def test_a_killed_primary_is_replaced_by_its_replica(
    on_sentinels: Cluster, sentinels: RedisWithSentinels
):
    services = await start_services(on_sentinels)
    async with under_load(on_sentinels, services) as counts:
        await wait_for_count(counts, "http writes", by=50)
        killed = sentinels.primary
        await asyncio.to_thread(killed.stop)
        await asyncio.to_thread(sentinels.fail_over_from, killed)
        await wait_for_count(counts, "http writes", by=50, within=60)
        await wait_until_ready(*services)

        assert await list_status(find_service(services, "api").url) == 200


async def test_a_frozen_primary_that_wakes_as_one_is_not_believed(
    on_sentinels: Cluster, sentinels: RedisWithSentinels
):
    services = await start_services(on_sentinels)
    async with under_load(on_sentinels, services) as counts:
        await wait_for_count(counts, "http writes", by=50)
        frozen = sentinels.primary
        assert frozen.process
        frozen.process.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(sentinels.fail_over_from, frozen)
        await wait_for_count(counts, "http writes", by=20, within=60)
        frozen.process.send_signal(signal.SIGCONT)
        await wait_for_count(counts, "http writes", by=50, within=60)
        await wait_until_ready(*services)

        async def is_listed() -> bool:
            return await list_status(find_service(services, "api").url) == 200

        await eventually_async(is_listed, within=60)


async def list_status(url: str) -> int:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {API_KEY}"}) as http:
        return (await http.get(f"{url}/v1/checkouts")).status_code
