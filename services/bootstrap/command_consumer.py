"""The process of `checkout commands`."""

from __future__ import annotations

from services.bootstrap.connections import opened_store, opened_views
from services.bootstrap.parts import (
    run_with_health,
    utc_now,
    writing,
)
from services.bootstrap.readiness_checks import failure_check, store_check, views_check
from services.command_consumer.consumer import CommandConsumer
from services.kafka.connection import connection_of
from services.kafka.topic_readiness import TopicReadiness
from services.kafka.topics import Topics
from services.runtime.settings import Settings


async def run(settings: Settings) -> None:
    """`checkout commands`: the Kafka door."""
    book, token_keys = settings.book(), settings.token_keyring()
    connection = connection_of(settings)
    async with (
        opened_store(settings) as store,
        opened_views(settings) as views,
        writing(store, views, book, token_keys) as writer,
    ):
        topics = Topics(settings.topic_prefix)
        service = CommandConsumer(connection, topics, writer, utc_now, settings.max_lag_events)
        checks = {
            "store": store_check(store),
            "writer": failure_check(writer),
            "redis": views_check(views),
            "kafka": failure_check(service.subscription),
        }
        needed = (topics.commands, topics.replies, topics.dead_letters)
        await run_with_health(settings, service, checks, TopicReadiness(connection, needed))
