"""Redis servers that answer and must not be believed: one that was demoted, and a second primary."""

import asyncio
from contextlib import closing

import pytest
from redis.asyncio import Redis

from projections.redis.trust import TrustState
from services.event_store import open_store
from tests.eventually import eventually, eventually_async
from tests.faults.cluster import Cluster, ServiceProcess
from tests.faults.load_run import (
    find_service,
    start_services,
    under_load,
    wait_for_count,
    wait_until_ready,
)
from tests.projections.test_redis_that_refuses_writes import demote
from tests.servers.redis import own_redis


async def wait_for_status(service: ServiceProcess, status: str, redis: str = "") -> None:
    """Wait until `/readyz` has this status, and its check of Redis says this."""

    async def has_status() -> bool:
        found = await asyncio.to_thread(service.status)
        return found == status and redis in service.readiness()["redis"]

    await eventually_async(has_status, 30)


async def test_a_demoted_redis_holds_no_write_up_and_takes_no_answer_back(on_servers: Cluster):
    services = await start_services(on_servers)
    async with (
        Redis.from_url(on_servers.redis.url) as operator,
        under_load(on_servers, services) as counts,
    ):
        await wait_for_count(counts, "http writes", by=50)
        await demote(operator)
        for name in ("api", "commands"):
            await wait_for_status(find_service(services, name), "degraded", "replica")
        await wait_for_status(find_service(services, "projector"), "not_ready", "replica")
        await wait_for_count(counts, "http writes", by=50)
        await wait_for_count(counts, "reads", by=50)
        await operator.execute_command("REPLICAOF", "NO", "ONE")
        await wait_for_status(find_service(services, "api"), "ready")
        await wait_for_count(counts, "http writes", by=50)


async def test_a_demotion_is_noticed_while_nobody_reads_or_writes(on_servers: Cluster):
    await start_services(on_servers, "projector")
    with closing(open_store(on_servers.database)) as store:
        assert store.views_trust.value.state is TrustState.TRUSTED
        async with Redis.from_url(on_servers.redis.url) as operator:
            await demote(operator)

        await asyncio.to_thread(
            eventually, lambda: store.views_trust.read_again().state is TrustState.DISTRUSTED, 30
        )


@pytest.mark.parametrize("is_trusted", [True, False], ids=["the first", "the second"])
async def test_two_primaries_do_not_contradict_each_other(on_servers: Cluster, is_trusted: bool):
    """As in a network that is cut in two, while both parts reach the store."""
    api, *others = [on_servers.add(name) for name in ("api", "commands", "relay")]
    with own_redis() as second:
        elsewhere = {"CHECKOUT_REDIS_URL": second.url}
        projector = on_servers.add("projector", **({} if is_trusted else elsewhere))
        beyond = on_servers.add("api", **elsewhere)
        await wait_until_ready(projector)
        await wait_for_status(api, "ready" if is_trusted else "degraded")
        await wait_for_status(beyond, "degraded" if is_trusted else "ready")
        async with under_load(on_servers, [api, beyond, *others]) as counts:
            await wait_for_count(counts, "reads", by=200, within=60)
            await wait_for_count(counts, "http writes", by=50, within=60)
            beyond.kill()
            projector.kill()
            await wait_until_ready(on_servers.add("projector"))
