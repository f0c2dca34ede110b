"""Readiness turns red on a lost dependency, a lost partition assignment or a large lag, and names it."""

import asyncio
import json
from collections.abc import Callable
from contextlib import closing

import httpx
from aiokafka import AIOKafkaProducer

from services.event_store import open_store
from tests.eventually import eventually_async
from tests.faults.cluster import API_KEY, Cluster, ServiceProcess
from tests.faults.load_run import start_services, wait_until_ready

BACKLOG = 20
ITEMS = {"items": [{"id": "item_123", "quantity": 1}]}
BEARER = {"Authorization": f"Bearer {API_KEY}"}


async def wait_for_check(
    service: ServiceProcess, name: str, matches: Callable[[str], bool]
) -> None:
    """Wait until a check in the readiness response matches."""

    async def check_matches() -> bool:
        return matches((await asyncio.to_thread(service.readiness))[name])

    await eventually_async(check_matches, 40)


def responds(service: ServiceProcess) -> bool:
    """Whether the service responds to `/readyz`."""
    try:
        service.readiness()
    except httpx.HTTPError:
        return False
    return True


async def publish(cluster: Cluster, count: int) -> None:
    """Publish `count` commands that create checkouts."""
    producer = AIOKafkaProducer(bootstrap_servers=cluster.kafka.bootstrap_servers)
    await producer.start()
    try:
        for number in range(count):
            common = {"specversion": "1.0", "type": "checkout.CreateCheckout", "source": "/tests"}
            attributes = common | {"id": f"{number}", "subject": f"c{number}"}
            await producer.send_and_wait(
                f"{cluster.prefix}commands",
                json.dumps(ITEMS).encode(),
                key=attributes["subject"].encode(),
                headers=[(f"ce_{name}", value.encode()) for name, value in attributes.items()],
            )
    finally:
        await producer.stop()


async def test_a_lag_over_the_limit_is_reported_until_the_work_is_done(on_servers: Cluster):
    on_servers.environment["CHECKOUT_MAX_LAG_EVENTS"] = str(BACKLOG // 2)
    api, commands, relay, projector = await start_services(on_servers)

    on_servers.redis.stop()
    async with httpx.AsyncClient(base_url=api.url, headers=BEARER, timeout=10) as http:
        for _ in range(BACKLOG):
            assert (await http.post("/v1/checkouts", json=ITEMS)).status_code in (201, 202)
    with closing(open_store(on_servers.database)) as store:
        store.write_guard.stop("an operator looks into something")
        await publish(on_servers, BACKLOG)
        await _lags_are_told(commands, relay, projector)
        store.write_guard.release(store.publication.read(), begin_epoch=False)

    on_servers.redis.start()
    await wait_until_ready(api, commands, relay, projector)


async def _lags_are_told(
    commands: ServiceProcess, relay: ServiceProcess, projector: ServiceProcess
) -> None:
    suffix = f", more than {BACKLOG // 2}"
    await wait_for_check(
        commands, "lag", lambda state: state.endswith(f"commands are not handled yet{suffix}")
    )
    await wait_for_check(
        projector, "lag", lambda state: state.endswith(f"not projected yet{suffix}")
    )
    await wait_for_check(projector, "redis", lambda state: state != "ok")
    await wait_for_check(relay, "lag", lambda state: state == "ok")


async def test_idle_services_report_an_unavailable_kafka(
    on_own_servers: Cluster,
):
    services = await start_services(on_own_servers, "commands", "relay", "projector")

    on_own_servers.kafka.stop()
    for service in services:
        await wait_for_check(service, "lag", lambda state: state.startswith("can't be measured: "))

    await asyncio.to_thread(on_own_servers.kafka.start)
    await wait_until_ready(*services)


async def test_a_service_without_a_partition_is_not_ready_until_it_gets_one(on_servers: Cluster):
    one_partition = {"CHECKOUT_TOPIC_PREFIX": "narrow.", "CHECKOUT_TOPIC_PARTITIONS": "1"}
    assert on_servers.run("topics", **one_partition).returncode == 0
    first = on_servers.add("commands", **one_partition)
    await wait_until_ready(first, on_servers.add("projector", **one_partition))
    second = on_servers.add("commands", **one_partition)
    both = (first, second)
    await eventually_async(lambda: asyncio.to_thread(responds, second), 20)

    async def one_has_no_partition() -> bool:
        states = [await asyncio.to_thread(service.readiness) for service in both]
        return [s["kafka"] for s in states].count("no partition is assigned") == 1

    await eventually_async(one_has_no_partition, 40)
    busy = first if first.is_ready() else second
    idle = second if busy is first else first
    await asyncio.to_thread(busy.stop)
    await wait_until_ready(idle)
