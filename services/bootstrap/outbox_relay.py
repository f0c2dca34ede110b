"""The process of `checkout relay`: from the event store to Kafka."""

from __future__ import annotations

from services.bootstrap.connections import opened_store
from services.bootstrap.parts import run_with_health
from services.bootstrap.readiness_checks import failure_check, store_check
from services.event_store import EventStore
from services.kafka.connection import KafkaConnection, connection_of
from services.kafka.topic_readiness import TopicReadiness
from services.kafka.topics import Topics
from services.outbox_relay.relay import OutboxRelay
from services.runtime.settings import Settings


def build(settings: Settings, kafka: KafkaConnection, store: EventStore) -> OutboxRelay:
    """The relay of a process."""
    return OutboxRelay(store, kafka, Topics(settings.topic_prefix), settings.max_lag_events)


async def run(settings: Settings) -> None:
    """Run until a stop is requested."""
    kafka, topics = connection_of(settings), Topics(settings.topic_prefix)
    async with opened_store(settings) as store:
        relay = build(settings, kafka, store)
        checks = {
            "store": store_check(store),
            "kafka": failure_check(relay),
            "position": failure_check(relay.guard),
        }
        await run_with_health(settings, relay, checks, TopicReadiness(kafka, [topics.events]))
