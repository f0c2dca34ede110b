"""In-process replacements for the servers: librdkafka's mock cluster and fakeredis."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from confluent_kafka import Producer
from fakeredis import FakeAsyncRedis

from projections.redis.server_identity import RunId
from projections.redis.views import RedisViews
from services.event_store import EventStore

_SECONDS = 5.0


class EmbeddedKafka:
    """One broker that speaks Kafka's protocol on loopback. It forgets everything at exit.

    A topic is created on its first use, with 4 partitions. A group may have one member.
    """

    def __init__(self, topics: Sequence[str]) -> None:
        # The mock lives as long as this client, which does nothing else. Its own bootstrap address is
        # never used.
        self._owner = Producer(
            {"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 0}
        )
        brokers = [self._owner.list_topics(topic, _SECONDS).brokers for topic in topics][-1]
        broker = next(iter(brokers.values()))
        self.bootstrap_servers = f"{broker.host}:{broker.port}"


def embedded_views(topic_prefix: str, store: EventStore) -> RedisViews:
    """Views of a store in this process's memory."""
    run_id = RunId(uuid.uuid4().hex)
    return RedisViews(
        FakeAsyncRedis(), run_id, topic_prefix, store.known_lineage, store.views_trust
    )
