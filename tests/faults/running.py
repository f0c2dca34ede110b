"""Services under load while something is done to them, and the audit afterwards."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.eventually import eventually_async
from tests.faults.audit import Audit
from tests.faults.cluster import Cluster, ServiceProcess
from tests.faults.load import Load


async def until_ready(*services: ServiceProcess, within: float = 60) -> None:
    """Wait until all of them say that they are ready; one that has ended fails with its log."""

    async def ready() -> bool:
        for service in services:
            assert not service.has_ended(), f"{service.service} has ended:\n{service.log()[-2000:]}"
        return all([await asyncio.to_thread(service.is_ready) for service in services])

    await eventually_async(ready, within)


async def started(cluster: Cluster, *names: str) -> list[ServiceProcess]:
    """These services, ready; by default one of each."""
    names = names or ("api", "commands", "relay", "projector")
    services = [cluster.add(name) for name in names]
    await until_ready(*services)
    return services


def of_kind(services: Sequence[ServiceProcess], name: str) -> ServiceProcess:
    """The first service of a name."""
    return next(service for service in services if service.service == name)


async def until_grown(counts: Counter[str], name: str, by: int, within: float = 30) -> None:
    """Wait until one of the load's counts has grown by so many."""
    wanted = counts[name] + by

    async def has_grown() -> bool:
        return counts[name] >= wanted

    await eventually_async(has_grown, within)


@asynccontextmanager
async def under_load(
    cluster: Cluster,
    services: Sequence[ServiceProcess],
    checkouts: int = 20,
    pause: float = 0.02,
    buyers: int = 0,
) -> AsyncIterator[Counter[str]]:
    """Commands over both doors within the block; afterwards nothing may be lost, doubled or wrong.

    Yields the load's counts. `pytest -rP` shows how fast the writes were.
    """
    apis = [service for service in services if service.service == "api"]
    begun_at = time.monotonic()
    async with Load(cluster, apis, checkouts=checkouts, pause=pause, buyers=buyers) as load:
        yield load.ledger.counts
        alive = [s for s in services if s.process and s.process.poll() is None]
        await until_ready(*alive)
    seconds = time.monotonic() - begun_at
    audit = Audit(cluster, load.ledger, apis[0])
    violations = await audit.run()
    accepted, refused = audit.applied / seconds, audit.refused / seconds
    told = f"{accepted:.0f} writes/s accepted, {refused:.1f} refused, for {seconds:.0f} s"
    sys.stdout.write(f"{told}\n")
    assert not violations, "\n".join(violations[:20])
    assert load.ledger.http_answers
    assert load.ledger.published
