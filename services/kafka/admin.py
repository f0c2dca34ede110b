"""Making the topics as this service needs them."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from services.kafka.connection import KafkaConnection
from services.kafka.publisher import KafkaUnavailable
from services.kafka.topics import Topics


class WrongTopic(Exception):
    """A topic is there, but not as it should be."""


async def create_topics(
    connection: KafkaConnection, topics: Topics, partitions: int, replication: int
) -> dict[str, bool]:
    """Create the topics that are missing; tells of each whether it was. Safe to run again.

    `events` keeps everything, and no topic is compacted: a repeated key is no older truth here.
    Raises `WrongTopic` for one with another number of partitions: changing it would send a
    checkout's later messages to another partition than its earlier ones, out of order.
    """
    admin = AIOKafkaAdminClient(**connection)
    try:
        await admin.start()
        created = {}
        for topic in topics.all:
            created[topic] = await _create(admin, topic, topics, partitions, replication)
        await _check(admin, topics, partitions)
    except (KafkaError, OSError) as error:
        raise KafkaUnavailable(f"{type(error).__name__}: {error}") from error
    finally:
        await admin.close()
    return created


async def _create(
    admin: AIOKafkaAdminClient, topic: str, topics: Topics, partitions: int, replication: int
) -> bool:
    configs = {"cleanup.policy": "delete"}
    if topic == topics.events:
        configs |= {"retention.ms": "-1", "retention.bytes": "-1"}
    wanted = NewTopic(topic, partitions, replication, topic_configs=configs)
    response = await admin.create_topics([wanted])
    for _, code, *_rest in response.topic_errors:
        error = for_code(code)
        if error is TopicAlreadyExistsError:
            return False
        if code:
            raise error(topic)
    return True


async def _check(admin: AIOKafkaAdminClient, topics: Topics, partitions: int) -> None:
    for described in await admin.describe_topics(list(topics.all)):
        found = len(described["partitions"])
        if found and found != partitions:
            raise WrongTopic(
                f"{described['topic']} has {found} partitions, not {partitions}; set "
                f"CHECKOUT_TOPIC_PARTITIONS={found}, or move to a new topic prefix"
            )
