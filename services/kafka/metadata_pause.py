"""Keeps an aiokafka client from asking for metadata in a loop without a pause."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class _Client(Protocol):
    """The part of aiokafka's client that is used here."""

    _metadata_update: Callable[[Any, Any], Awaitable[bool]]
    _retry_backoff: float


def pause_between_metadata_updates(client: _Client) -> None:
    """Pause after each update that did not help: no broker answered, or a partition still has no leader.

    aiokafka's producer and fetcher ask again at once then (seen in 0.14: a whole core and 3,000 log lines a
    second while no broker was there, 180 requests a second while one was). Kafka's own client pauses as well,
    for the `retry.backoff.ms` that is used here.
    """
    update = client._metadata_update  # noqa: SLF001 - nothing public decides when it is called

    async def update_and_pause(cluster: Any, topics: Any) -> bool:
        is_updated = await update(cluster, topics)
        if not is_updated or any(
            _lacks_a_leader(cluster, topic) for topic in topics or cluster.topics()
        ):
            await asyncio.sleep(client._retry_backoff)  # noqa: SLF001
        return is_updated

    client._metadata_update = update_and_pause  # noqa: SLF001


def _lacks_a_leader(cluster: Any, topic: str) -> bool:
    return bool(
        cluster.partitions_for_topic(topic) != cluster.available_partitions_for_topic(topic)
    )
