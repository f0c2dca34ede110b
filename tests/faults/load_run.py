"""Runs services under load while a test injects faults, and audits afterwards."""

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


async def wait_until_ready(*services: ServiceProcess, within: float = 60) -> None:
    """Wait until all services report that they are ready; fail with the log of one that has exited."""

    async def all_ready() -> bool:
        for service in services:
            assert not service.has_exited(), f"{service.service} exited:\n{service.log()[-2000:]}"
        return all([await asyncio.to_thread(service.is_ready) for service in services])

    await eventually_async(all_ready, within)


async def start_services(cluster: Cluster, *names: str) -> list[ServiceProcess]:
    """Start the named services, by default one of each, and wait until they are ready."""
    names = names or ("api", "commands", "relay", "projector")
    services = [cluster.add(name) for name in names]
    await wait_until_ready(*services)
    return services


def find_service(services: Sequence[ServiceProcess], name: str) -> ServiceProcess:
    """The first service with this name."""
    return next(service for service in services if service.service == name)


async def wait_for_count(counts: Counter[str], name: str, by: int, within: float = 30) -> None:
    """Wait until one of the load's counts has grown by `by`."""
    target = counts[name] + by

    async def is_reached() -> bool:
        return counts[name] >= target

    await eventually_async(is_reached, within)


@asynccontextmanager
async def under_load(
    cluster: Cluster,
    services: Sequence[ServiceProcess],
    checkouts: int = 20,
    pause: float = 0.02,
    buyers: int = 0,
) -> AsyncIterator[Counter[str]]:
    """Sends commands over both channels inside the block; afterwards the audit must find no violation.

    Yields the load's counts. `pytest -rP` shows the rate of writes.
    """
    apis = [service for service in services if service.service == "api"]
    started_at = time.monotonic()
    async with Load(cluster, apis, checkouts=checkouts, pause=pause, buyers=buyers) as load:
        yield load.ledger.counts
        running = [s for s in services if s.process and s.process.poll() is None]
        await wait_until_ready(*running)
    seconds = time.monotonic() - started_at
    audit = Audit(cluster, load.ledger, apis[0])
    violations = await audit.run()
    accepted, rejected = audit.applied / seconds, audit.rejected / seconds
    summary = f"{accepted:.0f} writes/s accepted, {rejected:.1f} rejected, for {seconds:.0f} s"
    sys.stdout.write(f"{summary}\n")
    assert not violations, "\n".join(violations[:20])
    assert load.ledger.http_answers
    assert load.ledger.published
