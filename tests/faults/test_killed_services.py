"""Any service killed at any moment, twenty times over one run, and nothing is lost or done twice."""

import asyncio
import random
import sys
import time

from tests.eventually import eventually
from tests.faults.cluster import Cluster, ServiceProcess
from tests.faults.running import of_kind, started, under_load, until_grown, until_ready
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import kafka_user, new_id

KILLS = 20
TAKEOVER_SECONDS = 10


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


async def test_of_two_relays_one_is_active_and_the_other_takes_over_within_ten_seconds(
    on_servers: Cluster,
):
    services = await started(on_servers)
    active, standby = of_kind(services, "relay"), on_servers.add("relay")
    services.append(standby)
    await until_ready(standby)
    eventually(lambda: is_publishing(active))

    async with (
        under_load(on_servers, services) as counts,
        kafka_user(on_servers.kafka.bootstrap_servers) as user,
    ):
        user.prefix = on_servers.prefix
        await until_grown(counts, "published", by=20)
        assert not is_publishing(standby)
        killed_at = time.monotonic()
        active.kill()
        stored_afterwards = new_id()
        await user.request("CreateCheckout", stored_afterwards, ONE_ITEM)
        await user.events_of(stored_afterwards, 1)
        took = time.monotonic() - killed_at
        sys.stdout.write(f"an event is published {took:.1f} s after the active relay's death\n")
        assert took < TAKEOVER_SECONDS
        assert is_publishing(standby)


def is_publishing(relay: ServiceProcess) -> bool:
    """Whether it has ever been the active one."""
    return "publishing events after position" in relay.log()
