"""Many processes write the same checkouts, and a process dies at the worst moment."""

import asyncio
import json

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from tests.eventually import eventually_async
from tests.faults.cluster import API_KEY, Cluster
from tests.faults.running import of_kind, started, under_load, until_ready
from tests.system.kafka_user import command_headers, kafka_user

ITEM = {"items": [{"id": "item_123", "quantity": 2}]}
RUN_SECONDS = 8
MANY = 5_000


async def test_three_apis_and_two_command_services_write_the_same_ten_checkouts(
    on_servers: Cluster,
):
    services = await started(on_servers)
    services += [on_servers.add(name) for name in ("api", "api", "commands")]
    await until_ready(*services)

    async with under_load(on_servers, services, checkouts=10, pause=0):
        await asyncio.sleep(RUN_SECONDS)


async def test_a_frozen_command_service_wakes_as_a_zombie_and_does_nothing_twice(
    on_servers: Cluster,
):
    services = await started(on_servers, "api", "commands", "commands", "relay", "projector")
    zombie = of_kind(services, "commands")

    async with under_load(on_servers, services):
        await asyncio.sleep(1)
        zombie.freeze()
        await asyncio.sleep(15)
        zombie.thaw()
        await asyncio.sleep(3)


async def test_a_view_that_its_writer_could_not_write_is_right_within_seconds(on_servers: Cluster):
    """As if the writer had died between its commit and its view."""
    services = await started(on_servers)
    api = of_kind(services, "api")
    blind = on_servers.add("api", CHECKOUT_REDIS_URL="redis://127.0.0.1:1/0")
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with httpx.AsyncClient(headers=headers) as http:
        await eventually_async(lambda: is_alive(http, blind.url), within=30)
        created = await http.post(f"{blind.url}/v1/checkouts", json=ITEM)
        assert created.status_code == 202
        updated = await http.put(f"{blind.url}{created.headers['location']}", json=ITEM)
        assert updated.status_code == 202

        async def is_shown() -> bool:
            read = await http.get(f"{api.url}{created.headers['location']}")
            return read.headers["etag"] == updated.headers["etag"]

        await eventually_async(is_shown, within=10)


async def is_alive(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/healthz")).status_code == 200
    except httpx.HTTPError:
        return False


async def test_the_projector_catches_up_with_five_thousand_events(on_servers: Cluster):
    services = await started(on_servers)
    projector = of_kind(services, "projector")
    async with under_load(on_servers, services):
        projector.kill()
        await publish_many(on_servers, MANY // 2)
        projector.start()


async def test_a_group_that_begins_again_does_nothing_twice(on_servers: Cluster):
    services = await started(on_servers)
    commands = of_kind(services, "commands")
    async with under_load(on_servers, services):
        await asyncio.sleep(3)
        assert commands.stop() == 0
        await go_back_to_the_beginning(on_servers)
        commands.start()
        await until_ready(commands)


async def test_a_command_topic_made_anew_is_served_and_old_commands_do_not_act_again(
    on_servers: Cluster,
):
    services = await started(on_servers)
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
        await until_ready(*services)

        assert (await user.request("CreateCheckout", "after", ITEM, command_id="two"))[
            "version"
        ] == 3
        await user.publish("CreateCheckout", "before", ITEM, command_id="one")
        again = await user.replies_to("one", 2)
    assert again == [first, first]


async def publish_many(cluster: Cluster, count: int) -> None:
    """As many commands of their own, each of which records three events."""
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


async def go_back_to_the_beginning(cluster: Cluster) -> None:
    """Reset the command service's group, as an operator would while it is stopped."""
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
