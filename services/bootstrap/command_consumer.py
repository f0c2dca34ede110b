"""The process of `checkout commands`: from Kafka to the handler."""

from __future__ import annotations

from services.bootstrap.connections import opened_store, opened_views
from services.bootstrap.parts import run_with_health, utc_now, writing
from services.bootstrap.readiness_checks import failure_check, store_check, views_check
from services.command_consumer.consumer import CommandConsumer
from services.command_handling import GroupCommitter
from services.kafka.connection import KafkaConnection, connection_of
from services.kafka.topic_readiness import TopicReadiness
from services.kafka.topics import Topics
from services.runtime.health import degrading
from services.runtime.settings import Settings


def build(settings: Settings, kafka: KafkaConnection, writer: GroupCommitter) -> CommandConsumer:
    """The command consumer of a process."""
    topics = Topics(settings.topic_prefix)
    return CommandConsumer(kafka, topics, writer, utc_now, settings.max_lag_events)


async def run(settings: Settings) -> None:
    """Run until a stop is requested."""
    book, token_keys = settings.book(), settings.token_keyring()
    kafka, topics = connection_of(settings), Topics(settings.topic_prefix)
    async with (
        opened_store(settings) as store,
        opened_views(settings, store) as views,
        writing(store, views, book, token_keys) as writer,
    ):
        consumer = build(settings, kafka, writer)
        checks = {
            "store": store_check(store),
            "writer": failure_check(writer),
            "redis": degrading(views_check(views)),
            "kafka": failure_check(consumer.batch_consumer),
        }
        needed = (topics.commands, topics.replies, topics.dead_letters)
        await run_with_health(settings, consumer, checks, TopicReadiness(kafka, needed))
