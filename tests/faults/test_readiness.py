"""Readiness turns red on a lost dependency, a lost assignment or too great a lag, and says which."""

import asyncio
import json
from collections.abc import Callable

import httpx
from aiokafka import AIOKafkaProducer

from tests.eventually import eventually_async
from tests.faults.cluster import API_KEY, Cluster, ServiceProcess
from tests.faults.running import started, until_ready

WAITING = 20
ITEMS = {"items": [{"id": "item_123", "quantity": 1}]}
BEARER = {"Authorization": f"Bearer {API_KEY}"}


async def told(service: ServiceProcess, name: str, is_so: Callable[[str], bool]) -> None:
    """Wait until readiness says that of a dependency."""

    async def says_so() -> bool:
        return is_so((await asyncio.to_thread(service.readiness))[name])

    await eventually_async(says_so, 40)


def is_up(service: ServiceProcess) -> bool:
    """Whether it answers at all."""
    try:
        service.readiness()
    except httpx.HTTPError:
        return False
    return True


async def publish(cluster: Cluster, count: int) -> None:
    """Commands to create checkouts."""
    producer = AIOKafkaProducer(bootstrap_servers=cluster.kafka.bootstrap_servers)
    await producer.start()
    try:
        for number in range(count):
            names = {"specversion": "1.0", "type": "checkout.CreateCheckout", "source": "/tests"}
            facts = names | {"id": f"{number}", "subject": f"c{number}"}
            await producer.send_and_wait(
                f"{cluster.prefix}commands",
                json.dumps(ITEMS).encode(),
                key=facts["subject"].encode(),
                headers=[(f"ce_{name}", value.encode()) for name, value in facts.items()],
            )
    finally:
        await producer.stop()


async def test_a_lag_over_the_setting_is_told_and_goes_when_the_work_is_done(on_servers: Cluster):
    on_servers.environment["CHECKOUT_MAX_LAG_EVENTS"] = str(WAITING // 2)
    api, commands, relay, projector = await started(on_servers)

    on_servers.redis.stop()
    await publish(on_servers, WAITING)
    async with httpx.AsyncClient(base_url=api.url, headers=BEARER, timeout=10) as http:
        for _ in range(WAITING):
            assert (await http.post("/v1/checkouts", json=ITEMS)).status_code == 202

    over = f", more than {WAITING // 2}"
    await told(commands, "lag", lambda state: state.endswith(f"commands are not handled yet{over}"))
    await told(projector, "lag", lambda state: state.endswith(f"not projected yet{over}"))
    await told(projector, "redis", lambda state: state != "ok")
    await told(relay, "lag", lambda state: state == "ok")

    on_servers.redis.start()
    await until_ready(api, commands, relay, projector)


async def test_a_kafka_that_is_gone_is_told_by_those_who_have_nothing_to_do(
    on_own_servers: Cluster,
):
    services = await started(on_own_servers, "commands", "relay", "projector")

    on_own_servers.kafka.stop()
    for service in services:
        await told(service, "lag", lambda state: state.startswith("can't be measured: "))

    await asyncio.to_thread(on_own_servers.kafka.start)
    await until_ready(*services)


async def test_a_service_without_a_partition_says_so_until_it_gets_one(on_servers: Cluster):
    narrow = {"CHECKOUT_TOPIC_PREFIX": "narrow.", "CHECKOUT_TOPIC_PARTITIONS": "1"}
    assert on_servers.run("topics", **narrow).returncode == 0
    first = on_servers.add("commands", **narrow)
    await until_ready(first, on_servers.add("projector", **narrow))
    second = on_servers.add("commands", **narrow)
    both = (first, second)
    await eventually_async(lambda: asyncio.to_thread(is_up, second), 20)

    async def one_is_left_out() -> bool:
        states = [await asyncio.to_thread(service.readiness) for service in both]
        return [s["kafka"] for s in states].count("no partition is assigned") == 1

    await eventually_async(one_is_left_out, 40)
    busy = first if first.is_ready() else second
    idle = second if busy is first else first
    await asyncio.to_thread(busy.stop)
    await until_ready(idle)
