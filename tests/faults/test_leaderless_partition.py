"""Partitions of the events are without a leader for longer than any producer waits."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.errors import InvalidReplicationAssignmentError, KafkaError

from tests.eventually import eventually_async
from tests.faults.cluster import Cluster, cluster
from tests.faults.running import of_kind, started, under_load, until_grown
from tests.servers.kafka import own_kafka
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import kafka_user, new_id

OUTAGE_SECONDS = 45
"""Three times what the publisher waits, and longer than the 40 s of aiokafka's own producer."""
NOBODY = -1
CREATED = 3
"""The version of a checkout that was created with one item."""


@pytest.fixture
def on_first() -> Iterator[Cluster]:
    """All topics on one broker; the events lack two of their partitions yet."""
    with cluster(CHECKOUT_TOPIC_EVENTS_PARTITIONS="2") as made:
        yield made


@pytest_asyncio.fixture
async def admin(on_first: Cluster) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=on_first.kafka.bootstrap_servers)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def have_offsets_kept(admin: AIOKafkaAdminClient) -> None:
    """Ask who keeps a group's offsets, upon which the topic for those of all groups is made."""

    async def are_kept() -> bool:
        try:
            await admin.find_coordinator("any")
        except KafkaError:
            return False
        return True

    await eventually_async(are_kept, 30)


async def add_partitions(admin: AIOKafkaAdminClient, topic: str, node_id: int) -> None:
    """Give a topic of two partitions two more, with one broker as the only one that has them."""
    added = NewPartitions(4, new_assignments=[[node_id], [node_id]])

    async def are_added() -> bool:
        try:
            await admin.create_partitions({topic: added})
        except (
            InvalidReplicationAssignmentError
        ):  # The controller does not count on that broker yet.
            return False
        return True

    await eventually_async(are_added, 30)


async def until_led_by(admin: AIOKafkaAdminClient, topic: str, leaders: Sequence[int]) -> None:
    """Wait until these are the leaders of a topic's partitions."""

    async def are_led_so() -> bool:
        try:
            [described] = await admin.describe_topics([topic])
        except KafkaError:  # It has asked the broker that is gone.
            return False
        found = {each["partition"]: each["leader"] for each in described["partitions"]}
        return [found[number] for number in sorted(found)] == list(leaders)

    await eventually_async(are_led_so, 30)


async def assert_answered(cluster: Cluster) -> None:
    """A command on Kafka is accepted and answered."""
    async with kafka_user(cluster.kafka.bootstrap_servers) as user:
        user.prefix = cluster.prefix
        assert (await user.request("CreateCheckout", new_id(), ONE_ITEM))["version"] == CREATED


async def test_the_relay_neither_overtakes_nor_sticks_while_partitions_have_no_leader(
    on_first: Cluster, admin: AIOKafkaAdminClient
):
    first, events = on_first.kafka, f"{on_first.prefix}events"
    await have_offsets_kept(admin)
    with own_kafka(joins=first) as second:
        await add_partitions(admin, events, second.node_id)
        whole = [first.node_id, first.node_id, second.node_id, second.node_id]
        await until_led_by(admin, events, whole)
        await until_led_by(admin, "__consumer_offsets", [first.node_id] * 4)
        services = await started(on_first)
        relay = of_kind(services, "relay")

        async with under_load(on_first, services) as counts:
            await until_grown(counts, "http writes", by=50)
            await asyncio.to_thread(second.stop, signal.SIGKILL)
            over = asyncio.create_task(asyncio.sleep(OUTAGE_SECONDS))
            await until_led_by(admin, events, [first.node_id, first.node_id, NOBODY, NOBODY])
            before = counts.copy()
            await over
            await assert_answered(on_first)
            assert counts["http writes"] > before["http writes"] + 100
            assert counts["published"] > before["published"] + 100
            assert relay.log().count("relay failed, trying again") > 1
            assert (await asyncio.to_thread(relay.readiness))["kafka"] == "KafkaUnavailable"

            await asyncio.to_thread(second.start)
            await until_led_by(admin, events, whole)
