"""Partitions of the events topic have no leader for longer than any producer waits."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.errors import InvalidReplicationAssignmentError, KafkaError

from tests.eventually import eventually_async
from tests.faults.cluster import Cluster, cluster
from tests.faults.load_run import find_service, start_services, under_load, wait_for_count
from tests.servers.kafka import own_kafka
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import kafka_user, new_id

OUTAGE_SECONDS = 45
"""Three times the publisher's timeout, and longer than the 40 s of aiokafka's default."""
NO_LEADER = -1
CREATED = 3
"""The version of a checkout that was created with one item."""


@pytest.fixture
def one_broker() -> Iterator[Cluster]:
    """All topics on one broker; the events topic has two of its four partitions so far."""
    with cluster(CHECKOUT_TOPIC_EVENTS_PARTITIONS="2") as made:
        yield made


@pytest_asyncio.fixture
async def admin(one_broker: Cluster) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=one_broker.kafka.bootstrap_servers)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def create_offsets_topic(admin: AIOKafkaAdminClient) -> None:
    """Look up a group coordinator, which makes Kafka create the offsets topic."""

    async def is_created() -> bool:
        try:
            await admin.find_coordinator("any")
        except KafkaError:
            return False
        return True

    await eventually_async(is_created, 30)


async def add_partitions(admin: AIOKafkaAdminClient, topic: str, node_id: int) -> None:
    """Add two partitions to a topic of two, both on one broker only."""
    added = NewPartitions(4, new_assignments=[[node_id], [node_id]])

    async def is_added() -> bool:
        try:
            await admin.create_partitions({topic: added})
        except (
            InvalidReplicationAssignmentError
        ):  # The controller has not registered that broker yet.
            return False
        return True

    await eventually_async(is_added, 30)


async def wait_for_leaders(admin: AIOKafkaAdminClient, topic: str, leaders: Sequence[int]) -> None:
    """Wait until the topic's partitions have these leaders."""

    async def has_leaders() -> bool:
        try:
            [topic_description] = await admin.describe_topics([topic])
        except KafkaError:  # The client asked the stopped broker.
            return False
        current = {
            partition["partition"]: partition["leader"]
            for partition in topic_description["partitions"]
        }
        return [current[number] for number in sorted(current)] == list(leaders)

    await eventually_async(has_leaders, 30)


async def assert_command_accepted(cluster: Cluster) -> None:
    """A command over Kafka gets an acceptance."""
    async with kafka_user(cluster.kafka.bootstrap_servers) as user:
        user.prefix = cluster.prefix
        assert (await user.request("CreateCheckout", new_id(), ONE_ITEM))["version"] == CREATED


async def test_partitions_without_a_leader_neither_reorder_nor_block_the_relay(
    one_broker: Cluster, admin: AIOKafkaAdminClient
):
    first, events = one_broker.kafka, f"{one_broker.prefix}events"
    await create_offsets_topic(admin)
    with own_kafka(joins=first) as second:
        await add_partitions(admin, events, second.node_id)
        leaders = [first.node_id, first.node_id, second.node_id, second.node_id]
        await wait_for_leaders(admin, events, leaders)
        await wait_for_leaders(admin, "__consumer_offsets", [first.node_id] * 4)
        services = await start_services(one_broker)
        relay = find_service(services, "relay")

        async with under_load(one_broker, services) as counts:
            await wait_for_count(counts, "http writes", by=50)
            await asyncio.to_thread(second.stop, signal.SIGKILL)
            outage = asyncio.create_task(asyncio.sleep(OUTAGE_SECONDS))
            await wait_for_leaders(
                admin, events, [first.node_id, first.node_id, NO_LEADER, NO_LEADER]
            )
            before = counts.copy()
            await outage
            await assert_command_accepted(one_broker)
            assert counts["http writes"] > before["http writes"] + 100
            assert counts["published"] > before["published"] + 100
            assert relay.log().count("relay failed, trying again") > 1
            assert (await asyncio.to_thread(relay.readiness))["kafka"] == "KafkaUnavailable"

            await asyncio.to_thread(second.start)
            await wait_for_leaders(admin, events, leaders)
