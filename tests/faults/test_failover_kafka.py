"""Three Kafka brokers of which one at a time is killed, also the controller."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from tests.faults.cluster import Cluster, cluster_on
from tests.faults.load_run import start_services, under_load, wait_for_count
from tests.servers.kafka import OwnKafka
from tests.servers.kafka_cluster import KafkaCluster, kafka_cluster
from tests.servers.postgres import own_postgres


@pytest.fixture(scope="module")
def brokers() -> Iterator[KafkaCluster]:
    with kafka_cluster() as made:
        yield made


@pytest.fixture
def on_three_brokers(brokers: KafkaCluster) -> Iterator[Cluster]:
    with (
        own_postgres() as postgres,
        cluster_on(brokers, postgres, CHECKOUT_TOPIC_REPLICATION="3") as made,
    ):
        yield made


async def test_each_broker_of_three_may_be_killed_in_turn(
    on_three_brokers: Cluster, brokers: KafkaCluster
):
    services = await start_services(on_three_brokers)
    async with under_load(on_three_brokers, services) as counts:
        for broker in brokers.brokers:
            await brokers.wait_until_in_sync()
            await asyncio.to_thread(broker.stop, signal.SIGKILL)
            # Two brokers are enough for publishers, command consumer and relay.
            await wait_for_count(counts, "published", by=50, within=60)
            await wait_for_count(counts, "http writes", by=50, within=60)
            await asyncio.to_thread(broker.start)


async def test_the_controller_may_be_killed_each_time_a_new_one_is_elected(
    on_three_brokers: Cluster, brokers: KafkaCluster
):
    services = await start_services(on_three_brokers)
    killed: list[OwnKafka] = []
    async with under_load(on_three_brokers, services) as counts:
        for _ in range(2):
            await brokers.wait_until_in_sync()
            controller = await asyncio.to_thread(brokers.controller)
            await asyncio.to_thread(controller.stop, signal.SIGKILL)
            await wait_for_count(counts, "published", by=50, within=60)
            assert await asyncio.to_thread(brokers.controller) is not controller
            await asyncio.to_thread(controller.start)
            killed.append(controller)
    assert killed[0] is not killed[1]
