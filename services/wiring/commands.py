"""The process of `checkout commands`."""

from __future__ import annotations

from services.checks import failure_check, store_check, views_check
from services.commands.service import CommandService
from services.kafka.connection import connection_of
from services.kafka.topics import Topics
from services.kafka.topics_check import TopicsCheck
from services.opening import opened_store, opened_views
from services.settings import Settings
from services.wiring.parts import (
    run_with_health,
    utc_now,
    writing,
)


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
        service = CommandService(connection, topics, writer, utc_now, settings.max_lag_events)
        checks = {
            "store": store_check(store),
            "writer": failure_check(writer),
            "redis": views_check(views),
            "kafka": failure_check(service.subscription),
        }
        needed = (topics.commands, topics.replies, topics.dead_letters)
        await run_with_health(settings, service, checks, TopicsCheck(connection, needed))
