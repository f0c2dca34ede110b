"""Any service killed at any moment, twenty times over one run, and nothing is lost or done twice."""

import asyncio
import random

from tests.faults.cluster import Cluster
from tests.faults.running import of_kind, started, under_load, until_ready

KILLS = 20


async def test_twenty_kills_at_random_moments_break_no_promise(on_servers: Cluster):
    chance = random.Random(4)
    services = await started(on_servers)

    async with under_load(on_servers, services):
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.1, 0.8))
            victim = chance.choice(services)
            victim.kill()
            victim.start()


async def test_command_services_join_and_leave_under_load_and_leave_in_time(on_servers: Cluster):
    services = await started(on_servers)

    async with under_load(on_servers, services):
        joining = [on_servers.add("commands") for _ in range(2)]
        await until_ready(*joining)
        assert of_kind(services, "commands").stop(within=10) == 0
        assert joining[0].stop(within=10) == 0
        assert joining[1].is_ready()


async def test_every_service_ends_in_time_with_work_in_hand(on_servers: Cluster):
    services = await started(on_servers)

    async with under_load(on_servers, services):
        for service in services:
            assert await asyncio.to_thread(service.stop, 10) == 0
            service.start()


async def test_of_two_relays_one_is_active_and_the_other_takes_over(on_servers: Cluster):
    services = await started(on_servers)
    standby = on_servers.add("relay")
    await until_ready(standby)

    async with under_load(on_servers, services) as counts:
        await asyncio.sleep(1)
        of_kind(services, "relay").kill()
        services.remove(of_kind(services, "relay"))
        before = counts["published"]
        await asyncio.sleep(2)
        assert counts["published"] > before
