"""Many processes write the same checkouts, and processes fail at critical moments."""

import asyncio
import json

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from tests.eventually import eventually_async
from tests.faults.cluster import API_KEY, Cluster
from tests.faults.load_run import find_service, start_services, under_load, wait_until_ready
from tests.system.kafka_user import command_headers, kafka_user

ITEM = {"items": [{"id": "item_123", "quantity": 2}]}
RUN_SECONDS = 8
EVENT_BACKLOG = 5_000


async def test_three_apis_and_two_command_consumers_write_the_same_ten_checkouts(
    on_servers: Cluster,
):
    services = await start_services(on_servers)
    services += [on_servers.add(name) for name in ("api", "api", "commands")]
    await wait_until_ready(*services)

    async with under_load(on_servers, services, checkouts=10, pause=0):
        await asyncio.sleep(RUN_SECONDS)


async def test_a_frozen_command_consumer_repeats_nothing_after_it_wakes(
    on_servers: Cluster,
):
    services = await start_services(on_servers, "api", "commands", "commands", "relay", "projector")
    zombie = find_service(services, "commands")

    async with under_load(on_servers, services):
        await asyncio.sleep(1)
        zombie.freeze()
        await asyncio.sleep(15)
        zombie.thaw()
        await asyncio.sleep(3)


async def test_the_projector_writes_a_view_that_its_writer_could_not_write_within_10_s(
    on_servers: Cluster,
):
    """An API without Redis stands for a writer that dies between its commit and its view."""
    services = await start_services(on_servers)
    api = find_service(services, "api")
    without_redis = on_servers.add("api", CHECKOUT_REDIS_URL="redis://127.0.0.1:1/0")
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with httpx.AsyncClient(headers=headers) as http:
        await eventually_async(lambda: is_alive(http, without_redis.url), within=30)
        created = await http.post(f"{without_redis.url}/v1/checkouts", json=ITEM)
        assert created.status_code == 202
        updated = await http.put(f"{without_redis.url}{created.headers['location']}", json=ITEM)
        assert updated.status_code == 202

        async def is_visible() -> bool:
            read = await http.get(f"{api.url}{created.headers['location']}")
            return read.headers["etag"] == updated.headers["etag"]

        await eventually_async(is_visible, within=10)


async def is_alive(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/healthz")).status_code == 200
    except httpx.HTTPError:
        return False


async def test_the_projector_catches_up_with_five_thousand_events(on_servers: Cluster):
    services = await start_services(on_servers)
    projector = find_service(services, "projector")
    async with under_load(on_servers, services):
        projector.kill()
        await publish_creates(on_servers, EVENT_BACKLOG // 2)
        projector.start()


async def test_a_group_that_restarts_from_the_beginning_repeats_nothing(on_servers: Cluster):
    services = await start_services(on_servers)
    commands = find_service(services, "commands")
    async with under_load(on_servers, services):
        await asyncio.sleep(3)
        assert commands.stop() == 0
        await reset_group_offsets(on_servers)
        commands.start()
        await wait_until_ready(commands)


async def test_a_recreated_command_topic_is_consumed_and_old_commands_have_no_new_effect(
    on_servers: Cluster,
):
    services = await start_services(on_servers)
    topic = f"{on_servers.prefix}commands"
    async with kafka_user(on_servers.kafka.bootstrap_servers) as user:
        user.prefix = on_servers.prefix
        first = await user.request("CreateCheckout", "before", ITEM, command_id="one")
        admin = AIOKafkaAdminClient(bootstrap_servers=on_servers.kafka.bootstrap_servers)
        await admin.start()
        try:
            await admin.delete_topics([topic])
            assert on_servers.run("topics").returncode == 0
        finally:
            await admin.close()
        await wait_until_ready(*services)

        assert (await user.request("CreateCheckout", "after", ITEM, command_id="two"))[
            "version"
        ] == 3
        await user.publish("CreateCheckout", "before", ITEM, command_id="one")
        replies = await user.replies_to("one", 2)
    assert replies == [first, first]


async def publish_creates(cluster: Cluster, count: int) -> None:
    """Publish `count` create commands, each of which records three events."""
    producer = AIOKafkaProducer(bootstrap_servers=cluster.kafka.bootstrap_servers)
    await producer.start()
    try:
        sent = [
            await producer.send(
                f"{cluster.prefix}commands",
                json.dumps(ITEM).encode(),
                key=f"m{number}".encode(),
                headers=command_headers("CreateCheckout", f"m{number}", f"many-{number}"),
            )
            for number in range(count)
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def reset_group_offsets(cluster: Cluster) -> None:
    """Reset the offsets of the command consumer's group while it is stopped."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=cluster.kafka.bootstrap_servers,
        group_id=f"{cluster.prefix}commands",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(f"{cluster.prefix}commands", n) for n in range(4)]
        consumer.assign(partitions)
        await consumer.commit(dict.fromkeys(partitions, 0))
    finally:
        await consumer.stop()
