"""Killing services at random moments loses nothing and repeats nothing."""

import asyncio
import random
import sys
import time

from tests.eventually import eventually
from tests.faults.cluster import Cluster, ServiceProcess
from tests.faults.load_run import (
    find_service,
    start_services,
    under_load,
    wait_for_count,
    wait_until_ready,
)
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import kafka_user, new_id

KILLS = 20
TAKEOVER_SECONDS = 10


async def test_twenty_kills_at_random_moments_cause_no_violation(on_servers: Cluster):
    random_source = random.Random(4)
    services = await start_services(on_servers)

    async with under_load(on_servers, services):
        for _ in range(KILLS):
            await asyncio.sleep(random_source.uniform(0.1, 0.8))
            victim = random_source.choice(services)
            victim.kill()
            victim.start()


async def test_command_consumers_join_and_leave_under_load_within_10_s(on_servers: Cluster):
    services = await start_services(on_servers)

    async with under_load(on_servers, services):
        added = [on_servers.add("commands") for _ in range(2)]
        await wait_until_ready(*added)
        assert find_service(services, "commands").stop(within=10) == 0
        assert added[0].stop(within=10) == 0
        assert added[1].is_ready()


async def test_every_service_stops_within_10_s_under_load(on_servers: Cluster):
    services = await start_services(on_servers)

    async with under_load(on_servers, services):
        for service in services:
            assert await asyncio.to_thread(service.stop, 10) == 0
            service.start()


async def test_a_standby_relay_takes_over_within_10_s(
    on_servers: Cluster,
):
    services = await start_services(on_servers)
    active, standby = find_service(services, "relay"), on_servers.add("relay")
    services.append(standby)
    await wait_until_ready(standby)
    eventually(lambda: is_publishing(active))

    async with (
        under_load(on_servers, services) as counts,
        kafka_user(on_servers.kafka.bootstrap_servers) as user,
    ):
        user.prefix = on_servers.prefix
        await wait_for_count(counts, "published", by=20)
        assert not is_publishing(standby)
        killed_at = time.monotonic()
        active.kill()
        next_checkout = new_id()
        await user.request("CreateCheckout", next_checkout, ONE_ITEM)
        await user.events_of(next_checkout, 1)
        takeover_seconds = time.monotonic() - killed_at
        sys.stdout.write(
            f"the standby published {takeover_seconds:.1f} s after the active relay was killed\n"
        )
        assert takeover_seconds < TAKEOVER_SECONDS
        assert is_publishing(standby)


def is_publishing(relay: ServiceProcess) -> bool:
    """Whether this relay has ever been the active one."""
    return "publishing events after position" in relay.log()
