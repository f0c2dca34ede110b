"""The process of `checkout projector`: from Kafka to Redis."""

from __future__ import annotations

from projections.redis.views import RedisViews
from services.bootstrap.connections import opened_store, opened_views
from services.bootstrap.parts import run_with_health
from services.bootstrap.readiness_checks import failure_check, store_check, views_check
from services.event_store import EventStore
from services.kafka.connection import KafkaConnection, connection_of
from services.kafka.topic_readiness import TopicReadiness
from services.kafka.topics import Topics
from services.projector.projector import Projector
from services.runtime.settings import Settings


def build(
    settings: Settings, kafka: KafkaConnection, store: EventStore, views: RedisViews
) -> Projector:
    """The projector of a process."""
    return Projector(store, views, kafka, Topics(settings.topic_prefix), settings.max_lag_events)


async def run(settings: Settings) -> None:
    """Run until a stop is requested."""
    kafka, topics = connection_of(settings), Topics(settings.topic_prefix)
    async with opened_store(settings) as store, opened_views(settings, store) as views:
        projector = build(settings, kafka, store, views)
        checks = {
            "store": store_check(store),
            "redis": views_check(views),
            "kafka": failure_check(projector.batch_consumer),
            "views": failure_check(projector),
        }
        await run_with_health(settings, projector, checks, TopicReadiness(kafka, [topics.events]))
