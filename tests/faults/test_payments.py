"""Payments complete despite failing workers, and no checkout is charged twice."""

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
from tests.faults.load_run import find_service, start_services, under_load, wait_until_ready

LEASE = {"CHECKOUT_PAYMENT_LEASE_SECONDS": "1"}
BEARER = {"Authorization": f"Bearer {API_KEY}"}
FAULTS = 6


def payment(token: str) -> dict[str, object]:
    return {"payment_data": {"token": token, "provider": "stripe"}}


async def create_ready_checkout(http: httpx.AsyncClient) -> str:
    """Create a checkout that is ready for payment; returns its path."""
    created = await http.post("/v1/checkouts", json=example("create.request"))
    return created.headers["location"]


def charges(cluster: Cluster) -> list[LedgerEntry]:
    return list(ChargeLedger(cluster.payments_record).charges())


async def wait_for_calls(cluster: Cluster, times: int) -> None:
    async def is_reached() -> bool:
        return sum(charge.calls for charge in charges(cluster)) >= times

    await eventually_async(is_reached, within=20)


async def wait_until_completed(http: httpx.AsyncClient, path: str) -> dict[str, object]:
    async def is_completed() -> bool:
        return (await http.get(path)).json()["status"] == "completed"

    await eventually_async(is_completed, within=30)
    return (await http.get(path)).json()


async def test_workers_killed_or_frozen_beyond_their_lease_charge_once(
    on_servers: Cluster,
):
    on_servers.environment |= LEASE
    random_source = random.Random(7)
    services = await start_services(
        on_servers, "api", "commands", "relay", "projector", "payments", "payments"
    )
    workers = [service for service in services if service.service == "payments"]

    async with under_load(on_servers, services, buyers=3) as counts:
        for turn in range(FAULTS):
            victim = random_source.choice(workers)
            await asyncio.sleep(random_source.uniform(0.2, 0.6))
            if turn % 2:
                await asyncio.to_thread(victim.kill)
                victim.start()
            else:
                victim.freeze()
                await asyncio.sleep(2.5)
                victim.thaw()
    assert counts["completes"] > FAULTS


async def test_a_restarted_worker_finishes_a_payment_whose_worker_died_after_the_charge(
    on_servers: Cluster,
):
    on_servers.environment |= LEASE
    services = await start_services(on_servers, "api", "projector", "payments")
    worker = find_service(services, "payments")
    async with httpx.AsyncClient(
        base_url=find_service(services, "api").url, headers=BEARER, timeout=20
    ) as http:
        path = await create_ready_checkout(http)
        key = {"Idempotency-Key": "once"}
        completing = asyncio.create_task(
            http.post(f"{path}/complete", json=payment("spt_crash"), headers=key)
        )
        await wait_for_calls(on_servers, 1)
        await asyncio.to_thread(worker.kill)
        worker.start()

        await wait_until_completed(http, path)
        assert (await completing).status_code in (200, 202)
        repeated = await http.post(f"{path}/complete", json=payment("spt_crash"), headers=key)
        assert repeated.status_code == 200
        [charge] = charges(on_servers)
        assert charge.payment_id == repeated.json()["payment"]["id"]
        assert charge.calls >= 2


async def test_a_worker_frozen_between_claim_and_call_charges_nothing_more(
    on_servers: Cluster,
):
    on_servers.environment |= LEASE
    services = await start_services(on_servers, "api", "projector", "payments")
    frozen = find_service(services, "payments")
    async with httpx.AsyncClient(
        base_url=find_service(services, "api").url, headers=BEARER, timeout=20
    ) as http:
        path = await create_ready_checkout(http)
        with closing(
            sqlite3.connect(on_servers.payments_record, isolation_level=None)
        ) as provider_database:
            # The locked database blocks the provider, so a worker with a claim stops before its call.
            provider_database.execute("BEGIN EXCLUSIVE")
            completing = asyncio.create_task(http.post(f"{path}/complete", json=payment("spt_123")))
            await wait_until_claimed(on_servers)
            frozen.freeze()
            provider_database.execute("ROLLBACK")
        second = on_servers.add("payments")
        await wait_until_ready(second)
        paid = await wait_until_completed(http, path)
        frozen.thaw()
        await wait_until_ready_again(frozen)

        await completing
        [charge] = charges(on_servers)
        assert charge.payment_id == paid["payment"]["id"]
        assert (await http.get(path)).json() == paid


async def wait_until_claimed(cluster: Cluster) -> None:
    """Wait until a worker has claimed an attempt."""

    def is_claimed() -> bool:
        listed = cluster.run("payments", "list", "--json")
        assert listed.returncode == 0, listed.stderr
        return any(json.loads(line)["asks"] for line in listed.stdout.splitlines())

    await eventually_async(lambda: asyncio.to_thread(is_claimed), within=20)


async def wait_until_ready_again(worker: ServiceProcess) -> None:
    await eventually_async(lambda: asyncio.to_thread(worker.is_ready), within=20)


async def test_concurrent_completes_over_several_processes_charge_once(
    on_servers: Cluster,
):
    services = await start_services(
        on_servers, "api", "api", "api", "projector", "payments", "payments"
    )
    urls = [service.url for service in services if service.service == "api"]
    async with httpx.AsyncClient(headers=BEARER, timeout=20) as http:
        created = await http.post(f"{urls[0]}/v1/checkouts", json=example("create.request"))
        path = f"{created.headers['location']}/complete"

        still_running: list[httpx.Response] = []

        async def complete(url: str) -> httpx.Response:
            """The payment's outcome: after a 202, which a busy machine may cause, the same key gives it."""
            while True:
                answer = await http.post(
                    f"{url}{path}", json=payment("spt_late_1"), headers={"Idempotency-Key": "pay"}
                )
                if answer.status_code != 202:
                    return answer
                still_running.append(answer)

        async with asyncio.timeout(60):
            answers = await asyncio.gather(*(complete(urls[number % 3]) for number in range(50)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    first_responses = [answer for answer in answers if "idempotent-replayed" not in answer.headers]
    assert len(first_responses) == 1 or (still_running and not first_responses)
    [charge] = charges(on_servers)
    assert charge.payment_id == answers[0].json()["payment"]["id"]
