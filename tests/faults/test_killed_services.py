"""Any service killed at any moment, twenty times over one run, and nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import random

from tests.eventually import eventually_async
from tests.faults.audit import Audit
from tests.faults.cluster import Cluster, ServiceProcess
from tests.faults.load import Load

KILLS = 20


async def until_ready(*services: ServiceProcess) -> None:
    """Wait until all of them say that they are ready."""

    async def ready() -> bool:
        return all([await asyncio.to_thread(service.is_ready) for service in services])

    await eventually_async(ready, within=40)


async def test_twenty_kills_at_random_moments_break_no_promise(on_servers: Cluster):
    chance = random.Random(4)
    api, *others = [on_servers.add(name) for name in ("api", "commands", "relay", "projector")]
    await until_ready(api, *others)

    async with Load(on_servers, [api]) as load:
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.1, 0.8))
            victim = chance.choice([api, *others])
            victim.kill()
            victim.start()
        await until_ready(api, *others)

    audit = Audit(on_servers, load.ledger, api)
    assert await audit.run() == []
    assert load.ledger.counts["http writes"] > 50
    assert len(load.ledger.published) > 50
