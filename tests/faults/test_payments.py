"""Payments go through whatever happens to the workers, and nobody is charged twice."""

import asyncio
import json
import random
import sqlite3
from contextlib import closing

import httpx

from services.payment_worker.providers.test.ledger import ChargeLedger, LedgerEntry
from tests.eventually import eventually_async
from tests.example_files import example
from tests.faults.cluster import API_KEY, Cluster, ServiceProcess
from tests.faults.running import of_kind, started, under_load, until_ready

LEASE = {"CHECKOUT_PAYMENT_LEASE_SECONDS": "1"}
BEARER = {"Authorization": f"Bearer {API_KEY}"}
TURNS = 6


def payment(token: str) -> dict[str, object]:
    return {"payment_data": {"token": token, "provider": "stripe"}}


async def opened(http: httpx.AsyncClient) -> str:
    """The path of a checkout that is ready for payment."""
    created = await http.post("/v1/checkouts", json=example("create.request"))
    return created.headers["location"]


def charges(cluster: Cluster) -> list[LedgerEntry]:
    return list(ChargeLedger(cluster.payments_record).charges())


async def until_asked(cluster: Cluster, times: int) -> None:
    async def asked() -> bool:
        return sum(charge.calls for charge in charges(cluster)) >= times

    await eventually_async(asked, within=20)


async def until_completed(http: httpx.AsyncClient, path: str) -> dict[str, object]:
    async def completed() -> bool:
        return (await http.get(path)).json()["status"] == "completed"

    await eventually_async(completed, within=30)
    return (await http.get(path)).json()


async def test_workers_killed_and_frozen_for_longer_than_their_lease_charge_nobody_twice(
    on_servers: Cluster,
):
    on_servers.environment |= LEASE
    chance = random.Random(7)
    services = await started(
        on_servers, "api", "commands", "relay", "projector", "payments", "payments"
    )
    workers = [service for service in services if service.service == "payments"]

    async with under_load(on_servers, services, buyers=3) as counts:
        for turn in range(TURNS):
            victim = chance.choice(workers)
            await asyncio.sleep(chance.uniform(0.2, 0.6))
            if turn % 2:
                await asyncio.to_thread(victim.kill)
                victim.start()
            else:
                victim.freeze()
                await asyncio.sleep(2.5)
                victim.thaw()
    assert counts["completes"] > TURNS


async def test_a_worker_that_dies_between_the_charge_and_its_answer_is_followed_by_another(
    on_servers: Cluster,
):
    on_servers.environment |= LEASE
    services = await started(on_servers, "api", "projector", "payments")
    worker = of_kind(services, "payments")
    async with httpx.AsyncClient(
        base_url=of_kind(services, "api").url, headers=BEARER, timeout=20
    ) as http:
        path = await opened(http)
        key = {"Idempotency-Key": "once"}
        completing = asyncio.create_task(
            http.post(f"{path}/complete", json=payment("spt_crash"), headers=key)
        )
        await until_asked(on_servers, 1)
        await asyncio.to_thread(worker.kill)
        worker.start()

        await until_completed(http, path)
        assert (await completing).status_code in (200, 202)
        again = await http.post(f"{path}/complete", json=payment("spt_crash"), headers=key)
        assert again.status_code == 200
        [charge] = charges(on_servers)
        assert charge.payment_id == again.json()["payment"]["id"]
        assert charge.calls >= 2


async def test_a_worker_frozen_between_its_claim_and_its_call_asks_for_nothing_new(
    on_servers: Cluster,
):
    on_servers.environment |= LEASE
    services = await started(on_servers, "api", "projector", "payments")
    frozen = of_kind(services, "payments")
    async with httpx.AsyncClient(
        base_url=of_kind(services, "api").url, headers=BEARER, timeout=20
    ) as http:
        path = await opened(http)
        with closing(sqlite3.connect(on_servers.payments_record, isolation_level=None)) as books:
            # The provider is at a standstill, so that who has claimed is on its way to the call.
            books.execute("BEGIN EXCLUSIVE")
            completing = asyncio.create_task(http.post(f"{path}/complete", json=payment("spt_123")))
            await until_claimed(on_servers)
            frozen.freeze()
            books.execute("ROLLBACK")
        second = on_servers.add("payments")
        await until_ready(second)
        paid = await until_completed(http, path)
        frozen.thaw()
        await until_at_work(frozen)

        await completing
        [charge] = charges(on_servers)
        assert charge.payment_id == paid["payment"]["id"]
        assert (await http.get(path)).json() == paid


async def until_claimed(cluster: Cluster) -> None:
    """Wait until a worker says that it has an attempt in hand."""

    def is_claimed() -> bool:
        listed = cluster.run("payments", "list", "--json")
        assert listed.returncode == 0, listed.stderr
        return any(json.loads(line)["asks"] for line in listed.stdout.splitlines())

    await eventually_async(lambda: asyncio.to_thread(is_claimed), within=20)


async def until_at_work(worker: ServiceProcess) -> None:
    await eventually_async(lambda: asyncio.to_thread(worker.is_ready), within=20)


async def test_a_complete_sent_many_times_at_once_to_several_processes_charges_once(
    on_servers: Cluster,
):
    services = await started(on_servers, "api", "api", "api", "projector", "payments", "payments")
    urls = [service.url for service in services if service.service == "api"]
    async with httpx.AsyncClient(headers=BEARER, timeout=20) as http:
        created = await http.post(f"{urls[0]}/v1/checkouts", json=example("create.request"))
        path = f"{created.headers['location']}/complete"

        answers = await asyncio.gather(
            *(
                http.post(
                    f"{urls[number % 3]}{path}",
                    json=payment("spt_late_1"),
                    headers={"Idempotency-Key": "pay"},
                )
                for number in range(50)
            )
        )

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    firsts = [answer for answer in answers if "idempotent-replayed" not in answer.headers]
    assert len(firsts) == 1
    [charge] = charges(on_servers)
    assert charge.payment_id == answers[0].json()["payment"]["id"]
