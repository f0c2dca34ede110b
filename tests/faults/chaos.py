"""`make chaos`: kills, freezes and restarts processes and servers at random under load, then audits.

The same seed makes the same choices; their effect depends on the timing of the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Collection

from rich.progress import Progress, TextColumn, TimeRemainingColumn

from tests.faults.audit import Audit
from tests.faults.chaos_redis import redis_acts
from tests.faults.cluster import ReplicatedCluster, ServiceProcess, replicated_cluster
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.load_run import start_services
from tests.faults.loss import lose_commits
from tests.faults.test_server_outages import terminate_connections
from tests.servers.kafka import OwnKafka

SERVICES = tuple(2 * ["api", "commands", "relay", "projector", "payments"])
LEASE = {"CHECKOUT_PAYMENT_LEASE_SECONDS": "3"}
"""Shorter than the longest freeze, so that another worker takes over from one that wakes later."""


class Chaos:
    """Injects one fault after another and undoes each."""

    def __init__(
        self,
        servers: ReplicatedCluster,
        services: list[ServiceProcess],
        ledger: Ledger,
        chance: random.Random,
        *,
        synchronous: bool,
    ) -> None:
        self._kafka, self._postgres = servers.kafka, servers.postgres
        self._servers = servers.cluster
        self._services = services
        self._ledger = ledger
        self._chance = chance
        self.done: Counter[str] = Counter()
        self.victims: Collection[ServiceProcess] = ()
        services_acts = [self._kill, self._kill, self._kill, self._freeze, self._stop]
        server_acts = [
            self._kill_kafka_broker,
            self._kill_kafka_controller,
            self._freeze_kafka_broker,
            self._restart_postgres,
            self._cut_postgres,
            *3 * [self._fail_over_postgres if synchronous else self._lose_commits],
            *redis_acts(servers.cluster.redis, chance),
        ]
        self._acts: list[Callable[[], Awaitable[None]]] = [*services_acts * 3, *server_acts]

    async def act(self) -> None:
        """Inject one random fault and undo it."""
        chosen = self._chance.choice(self._acts)
        name = chosen.__name__.strip("_").replace("_", " ")
        self.done[name] += 1
        self._ledger.fault = f"fault {self.done.total()}: {name}"
        await chosen()
        self.victims = ()

    async def _pause(self, longest: float) -> None:
        await asyncio.sleep(self._chance.uniform(0, longest))

    def _choose_victim(self) -> ServiceProcess:
        victim = self._chance.choice(self._services)
        self.victims = (victim,)
        return victim

    async def _kill(self) -> None:
        victim = self._choose_victim()
        await asyncio.to_thread(victim.kill)
        await self._pause(2)
        victim.start()

    async def _freeze(self) -> None:
        victim = self._choose_victim()
        victim.freeze()
        await self._pause(8)
        victim.thaw()

    async def _stop(self) -> None:
        victim = self._choose_victim()
        await asyncio.to_thread(victim.stop, 15)
        victim.start()

    async def _kill_kafka_broker(self) -> None:
        await self._kill_broker(self._chance.choice(self._kafka.brokers))

    async def _kill_kafka_controller(self) -> None:
        await self._kill_broker(await asyncio.to_thread(self._kafka.controller))

    async def _kill_broker(self, broker: OwnKafka) -> None:
        await asyncio.to_thread(broker.stop, signal.SIGKILL)
        await self._pause(
            12
        )  # Sometimes longer than the 9 s after which others take its partitions.
        await asyncio.to_thread(broker.start)

    async def _freeze_kafka_broker(self) -> None:
        await self._freeze_process(self._chance.choice(self._kafka.brokers).process)

    async def _restart_postgres(self) -> None:
        await asyncio.to_thread(self._postgres.stop_at_once)
        await self._pause(3)
        await asyncio.to_thread(self._postgres.start)

    async def _cut_postgres(self) -> None:
        await asyncio.to_thread(terminate_connections, self._servers.database)

    async def _fail_over_postgres(self) -> None:
        await asyncio.to_thread(self._postgres.fail_over)
        await self._pause(2)
        await asyncio.to_thread(self._postgres.add_standby)

    async def _lose_commits(self) -> None:
        self.victims = self._services
        await lose_commits(
            self._servers,
            self._postgres,
            self._services,
            self._ledger,
            self._chance.uniform(0, 2),
            is_relay_frozen=self._chance.random() < 0.5,
        )

    async def _freeze_process(self, process: object) -> None:
        send = getattr(process, "send_signal", None)
        if send:
            send(signal.SIGSTOP)
            await self._pause(6)
            send(signal.SIGCONT)


async def run(seconds: float, seed: int) -> int:
    """Run chaos under load, audit, and print a summary; returns the number of violations."""
    chance = random.Random(seed)
    synchronous = chance.random() < 0.5
    print(f"standby of PostgreSQL: {'synchronous' if synchronous else 'asynchronous'}", flush=True)
    sentinels = chance.random() < 0.5
    print(f"Redis: {'with Sentinels' if sentinels else 'one server'}", flush=True)
    with replicated_cluster(synchronous=synchronous, sentinels=sentinels, **LEASE) as servers:
        services = await start_services(servers.cluster, *SERVICES)
        apis = [service for service in services if service.service == "api"]
        async with Load(servers.cluster, apis, seed=seed, buyers=3) as load:
            chaos = Chaos(servers, services, load.ledger, chance, synchronous=synchronous)
            supervising = asyncio.create_task(_supervise(services, chaos))
            await _act_for(chaos, seconds)
            await _wait_until_ready(services)
            supervising.cancel()
        audit = Audit(servers.cluster, load.ledger, apis[0])
        violations = await audit.run()
    counts = load.ledger.counts
    answered = len(load.ledger.http_answers)
    print(f"commands sent: {counts['published'] + counts['http writes']}")
    print(f"acknowledged: {len(load.ledger.published)} by Kafka, {answered} over HTTP")
    print(f"applied: {audit.applied}, refused: {audit.rejected}, reads: {counts['reads']}")
    orders, declined = audit.ends["CheckoutCompleted"], audit.ends["PaymentDeclined"]
    print(f"completes: {counts['completes']}, orders: {orders}, declined: {declined}")
    print(f"lost with commits: {audit.lost}, events imported: {counts['events imported']}")
    print(f"duplicates delivered: {counts['duplicates delivered']}, 503: {counts['503']}")
    print(f"kills and the like: {sum(chaos.done.values())} ({_summary(chaos.done)})")
    for violation in violations:
        print(f"violation: {violation}")
    print(f"violations: {len(violations)}")
    return len(violations)


async def _supervise(services: list[ServiceProcess], chaos: Chaos) -> None:
    """Restart services that exited because a server was unavailable, as compose's restart policy does."""
    while True:
        for service in services:
            if service not in chaos.victims and service.process and service.process.poll():
                service.start()
        await asyncio.sleep(1)


async def _act_for(chaos: Chaos, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    columns = (TextColumn("chaos"), *Progress.get_default_columns()[1:-1], TimeRemainingColumn())
    with Progress(*columns, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("chaos", total=seconds)
        while (left := end - loop.time()) > 0:
            await chaos.act()
            await asyncio.sleep(0.5)
            progress.update(task, completed=seconds - left)


async def _wait_until_ready(services: list[ServiceProcess]) -> None:
    """Wait up to a minute until all services are ready, and print those that are not."""
    loop = asyncio.get_running_loop()
    end = loop.time() + 60
    while loop.time() < end:
        if all([await asyncio.to_thread(service.is_ready) for service in services]):
            return
        await asyncio.sleep(0.5)
    for service in services:
        if not service.is_ready():
            print(f"not ready again: {service.service}, whose log ends: {service.log()[-500:]}")


def _summary(done: Counter[str]) -> str:
    return ", ".join(f"{what} {times}" for what, times in sorted(done.items()))


def main() -> None:
    """Read the options, run, and exit with 0 only if there was no violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration", type=float, default=120, help="seconds (default 120)")
    parser.add_argument("--seed", type=int, default=None, help="made up and printed if not given")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed: {seed}", flush=True)
    # The clients of the load log every broken connection; the audit reports what matters.
    logging.disable(logging.CRITICAL)
    sys.exit(1 if asyncio.run(run(options.duration, seed)) else 0)


if __name__ == "__main__":
    main()
