"""The process of `checkout relay`."""

from __future__ import annotations

from services.bootstrap.connections import opened_store
from services.bootstrap.parts import (
    run_with_health,
)
from services.bootstrap.readiness_checks import failure_check, store_check
from services.kafka.connection import connection_of
from services.kafka.topic_readiness import TopicReadiness
from services.kafka.topics import Topics
from services.outbox_relay.relay import OutboxRelay
from services.runtime.settings import Settings


async def run(settings: Settings) -> None:
    """`checkout relay`: from the store to Kafka."""
    connection, topics = connection_of(settings), Topics(settings.topic_prefix)
    async with opened_store(settings) as store:
        service = OutboxRelay(store, connection, topics, settings.max_lag_events)
        checks = {"store": store_check(store), "kafka": failure_check(service)}
        await run_with_health(
            settings, service, checks, TopicReadiness(connection, [topics.events])
        )
