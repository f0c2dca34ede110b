"""The process of `checkout projector`."""

from __future__ import annotations

from services.checks import failure_check, store_check, views_check
from services.kafka.connection import connection_of
from services.kafka.topics import Topics
from services.kafka.topics_check import TopicsCheck
from services.opening import opened_store, opened_views
from services.projector.service import ProjectorService
from services.settings import Settings
from services.wiring.parts import (
    run_with_health,
)


async def run(settings: Settings) -> None:
    """`checkout projector`: from Kafka to Redis."""
    connection, topics = connection_of(settings), Topics(settings.topic_prefix)
    async with opened_store(settings) as store, opened_views(settings) as views:
        service = ProjectorService(store, views, connection, topics, settings.max_lag_events)
        checks = {
            "store": store_check(store),
            "redis": views_check(views),
            "kafka": failure_check(service.subscription),
            "views": failure_check(service),
        }
        await run_with_health(settings, service, checks, TopicsCheck(connection, [topics.events]))
