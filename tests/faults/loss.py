"""An asynchronous standby of PostgreSQL that lacks commits is promoted, and an operator mends the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from services.payment_worker.providers.test.ledger import ChargeLedger
from tests.eventually import eventually_async
from tests.faults.cluster import Cluster, ServiceProcess
from tests.faults.ledger import Ledger
from tests.servers.postgres_pair import PostgresPair

_STORE_AGAIN_SECONDS = 90.0


async def lose_commits(
    cluster: Cluster,
    postgres: PostgresPair,
    services: Sequence[ServiceProcess],
    ledger: Ledger,
    seconds: float,
    *,
    is_relay_frozen: bool = False,
) -> None:
    """Lose what is committed within these seconds; with the relay frozen, also what is never published.

    The services are stopped before the standby is promoted, as the README has it, and start again after
    `checkout store restored`.
    """
    await asyncio.to_thread(postgres.pause_replication)
    relays = [each for each in services if each.service == "relay"]
    for relay in relays if is_relay_frozen else ():
        relay.freeze()
    await asyncio.sleep(seconds)

    async def is_something_lost() -> bool:
        return await asyncio.to_thread(postgres.standby_lacks_commits)

    await eventually_async(is_something_lost, within=30)
    for service in services:
        await asyncio.to_thread(service.kill)
    await asyncio.to_thread(postgres.fail_over_with_loss)
    ledger.counts["events imported"] += await restore_store(cluster)
    ledger.record_loss()
    for service in services:
        service.start()
    await asyncio.to_thread(postgres.add_standby)
    await settle_payments(cluster)


async def restore_store(cluster: Cluster) -> int:
    """Run `checkout store restored`, again while Kafka or the new primary is not there yet.

    Returns the number of events that were imported.
    """
    imported: list[int] = []

    async def is_restored() -> bool:
        done = await asyncio.to_thread(cluster.run, "store", "restored", "--json")
        summary = json.loads((done.stdout.splitlines() or ["{}"])[-1])
        if "restored" not in summary:
            return False
        assert done.returncode == 0, f"checkouts differ after the restore: {done.stdout}"
        imported.append(summary["restored"]["events"])
        return True

    await eventually_async(is_restored, within=_STORE_AGAIN_SECONDS)
    return imported[-1]


async def settle_payments(cluster: Cluster) -> None:
    """Resolve the payments that wait for a person, as the provider knows them."""
    charges = {
        charge.attempt_id: charge.payment_id
        for charge in ChargeLedger(cluster.payments_record).charges()
    }
    output: list[str] = []

    async def are_settled() -> bool:
        listed = await asyncio.to_thread(
            cluster.run, "payments", "list", "--state", "by_hand", "--json"
        )
        attempts = [json.loads(line)["attempt_id"] for line in listed.stdout.splitlines()]
        for attempt_id in attempts:
            payment_id = charges.get(attempt_id)
            found = ("--paid", payment_id) if payment_id else ("--declined",)
            done = await asyncio.to_thread(cluster.run, "payments", "resolve", attempt_id, *found)
            output.append(done.stderr)
        return listed.returncode == 0 and not attempts

    try:
        await eventually_async(are_settled, within=60)
    except AssertionError as error:
        raise AssertionError(f"payments wait for a person: {output[-1:]}") from error
