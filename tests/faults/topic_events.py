"""What tests do to the event topic of a cluster, and what they read from it."""

from __future__ import annotations

import asyncio

from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient

from services.kafka.topic_reader import records_of
from tests.eventually import eventually_async
from tests.faults.cluster import Cluster


async def events_on(cluster: Cluster) -> dict[str, list[int]]:
    """The versions of each checkout on the event topic, in the order of their records."""
    versions: dict[str, list[int]] = {}
    for record in await records_on(cluster):
        headers = dict(record.headers)
        versions.setdefault(headers["ce_subject"].decode(), []).append(int(headers["ce_sequence"]))
    return versions


async def records_on(cluster: Cluster) -> list[ConsumerRecord]:
    """The records of the event topic."""
    connection = {"bootstrap_servers": cluster.kafka.bootstrap_servers}
    return [record async for record in records_of(connection, f"{cluster.prefix}events")]


async def make_anew(cluster: Cluster) -> None:
    """Delete the event topic and create it again."""
    topic = f"{cluster.prefix}events"
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([topic])

        async def is_deleted() -> bool:
            return topic not in await admin.list_topics()

        await eventually_async(is_deleted, 30)
    finally:
        await admin.close()
    created = await asyncio.to_thread(cluster.run, "topics")
    assert created.returncode == 0, created.stderr
