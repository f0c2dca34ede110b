"""Three Kafka brokers, of which tests may kill one at a time: each is also a controller."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from tests.eventually import eventually, eventually_async
from tests.servers import programs
from tests.servers.kafka import OwnKafka, Quorum

BROKERS = 3
_SETTINGS = {
    "default.replication.factor": str(BROKERS),
    "min.insync.replicas": str(BROKERS - 1),
    "offsets.topic.replication.factor": str(BROKERS),
    "transaction.state.log.replication.factor": str(BROKERS),
    "transaction.state.log.min.isr": str(BROKERS - 1),
}


class KafkaCluster:
    """Three brokers with three replicas of each record, of which two must have it."""

    def __init__(self) -> None:
        quorum = Quorum({node_id: programs.free_port() for node_id in range(1, BROKERS + 1)})
        self.brokers = [
            OwnKafka(_SETTINGS, quorum=quorum, node_id=node_id) for node_id in quorum.voters
        ]

    @property
    def bootstrap_servers(self) -> str:
        """The addresses of all brokers."""
        return ",".join(broker.bootstrap_servers for broker in self.brokers)

    def start(self) -> None:
        """Format and start all brokers; one alone is no majority, so it would not become ready."""
        with ThreadPoolExecutor(BROKERS) as pool:
            list(pool.map(OwnKafka.format, self.brokers))
            list(pool.map(OwnKafka.start, self.brokers))

    def remove(self) -> None:
        """Kill all brokers and delete their data."""
        for broker in self.brokers:
            broker.stop(signal.SIGKILL)
        for broker in self.brokers:
            broker.remove()

    def controller(self) -> OwnKafka:
        """The running broker that is the active controller."""
        found: list[OwnKafka] = []

        def is_elected() -> bool:
            running = [b for b in self.brokers if b.process and b.process.poll() is None]
            _, elected = max(broker.elected_controller() for broker in running)
            found[:] = [broker for broker in running if broker.node_id == elected]
            return bool(found)

        eventually(is_elected, within=30)
        return found[0]

    async def wait_until_in_sync(self) -> None:
        """Wait until all brokers have all partitions, so that any one of them may be killed."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        await admin.start()

        async def is_in_sync() -> bool:
            try:
                topics = await admin.describe_topics()
            except KafkaError:
                return False
            partitions = [partition for topic in topics for partition in topic["partitions"]]
            return all(len(partition["isr"]) == BROKERS for partition in partitions)

        try:
            await eventually_async(is_in_sync, within=60)
        finally:
            await admin.close()


@contextmanager
def kafka_cluster() -> Iterator[KafkaCluster]:
    """Three new brokers, which the test may kill."""
    cluster = KafkaCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()
