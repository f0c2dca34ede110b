"""The process of `checkout relay`."""

from __future__ import annotations

from services.checks import failure_check, store_check
from services.kafka.connection import connection_of
from services.kafka.topics import Topics
from services.kafka.topics_check import TopicsCheck
from services.opening import opened_store
from services.relay.service import RelayService
from services.settings import Settings
from services.wiring.parts import (
    run_with_health,
)


async def run(settings: Settings) -> None:
    """`checkout relay`: from the store to Kafka."""
    connection, topics = connection_of(settings), Topics(settings.topic_prefix)
    async with opened_store(settings) as store:
        service = RelayService(store, connection, topics, settings.max_lag_events)
        checks = {"store": store_check(store), "kafka": failure_check(service)}
        await run_with_health(settings, service, checks, TopicsCheck(connection, [topics.events]))
