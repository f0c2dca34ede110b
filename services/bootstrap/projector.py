"""The process of `checkout projector`."""

from __future__ import annotations

from services.bootstrap.connections import opened_store, opened_views
from services.bootstrap.parts import (
    run_with_health,
)
from services.bootstrap.readiness_checks import failure_check, store_check, views_check
from services.kafka.connection import connection_of
from services.kafka.topic_readiness import TopicReadiness
from services.kafka.topics import Topics
from services.projector.projector import Projector
from services.runtime.settings import Settings


async def run(settings: Settings) -> None:
    """`checkout projector`: from Kafka to Redis."""
    connection, topics = connection_of(settings), Topics(settings.topic_prefix)
    async with opened_store(settings) as store, opened_views(settings) as views:
        service = Projector(store, views, connection, topics, settings.max_lag_events)
        checks = {
            "store": store_check(store),
            "redis": views_check(views),
            "kafka": failure_check(service.subscription),
            "views": failure_check(service),
        }
        await run_with_health(
            settings, service, checks, TopicReadiness(connection, [topics.events])
        )
