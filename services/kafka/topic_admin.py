"""Creates the topics as configured, and rejects existing ones that differ."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from services.kafka.connection import KafkaConnection
from services.kafka.publisher import KafkaUnavailable
from services.kafka.topic_plans import TopicPlan

_TIMEOUT_SECONDS = 30.0
"""Seconds for all requests to Kafka together."""
_CONFIGS = ("cleanup.policy", "retention.ms")


class WrongTopic(Exception):
    """A topic is missing or not as configured. The message says which, why, and how to fix it."""


@dataclass(frozen=True, slots=True)
class _Found:
    partitions: int
    configs: Mapping[str, str]
    """Empty if we may not read them."""


async def create_topics(connection: KafkaConnection, plans: Sequence[TopicPlan]) -> dict[str, bool]:
    """Create the missing topics; returns for each whether it was created. Safe to run again.

    An existing topic is never changed. Raises `WrongTopic` for one that differs from its plan, and
    `KafkaUnavailable`.
    """
    async with _admin(connection) as admin:
        found = await _find(admin, [plan.topic for plan in plans])
        for plan in plans:
            if plan.topic in found:
                _reject_differences(plan, found[plan.topic])
        return {
            plan.topic: plan.topic not in found and await _create(admin, plan) for plan in plans
        }


async def check_topics(connection: KafkaConnection, topics: Iterable[str]) -> None:
    """Raise `WrongTopic` for one that a service can't work with, or `KafkaUnavailable`."""
    wanted = list(topics)
    async with _admin(connection) as admin:
        found = await _find(admin, wanted)
    missing = [topic for topic in wanted if topic not in found]
    if missing:
        raise WrongTopic(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing in Kafka: "
            "`checkout topics` creates what CHECKOUT_TOPIC_PREFIX names"
        )
    for topic in wanted:
        _reject_compaction(topic, found[topic])


@contextlib.asynccontextmanager
async def _admin(connection: KafkaConnection) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**connection)
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await admin.start()
            yield admin
    except (KafkaError, OSError) as error:
        raise KafkaUnavailable(f"{type(error).__name__}: {error}") from error
    finally:
        await admin.close()


async def _find(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> dict[str, _Found]:
    # Describing a missing topic by name would create it on brokers with automatic creation.
    partitions = {
        described["topic"]: len(described["partitions"])
        for described in await admin.describe_topics()
        if described["topic"] in topics
    }
    configs = await _configs(admin, list(partitions))
    return {topic: _Found(count, configs[topic]) for topic, count in partitions.items()}


async def _configs(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {topic: {} for topic in topics}
    names = dict.fromkeys(_CONFIGS)
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic, names) for topic in topics]
    for response in await admin.describe_configs(resources) if resources else ():
        for code, _, _, topic, entries in response.resources:
            if not code:
                found[topic] = {name: value for name, value, *_ in entries}
    return found


def _reject_differences(plan: TopicPlan, found: _Found) -> None:
    if found.partitions != plan.partitions:
        raise WrongTopic(
            f"{plan.topic} has {found.partitions} partitions, not {plan.partitions}, and changing "
            "that would put a checkout's later messages into another partition than its earlier "
            f"ones, out of order: set {plan.partitions_variable}={found.partitions}, or move to a "
            "new CHECKOUT_TOPIC_PREFIX"
        )
    _reject_compaction(plan.topic, found)
    kept = found.configs.get("retention.ms", str(plan.retention_ms))
    if kept != str(plan.retention_ms):
        raise WrongTopic(
            f"{plan.topic} has retention.ms={kept}, and {plan.retention_variable} asks for "
            f"{plan.retention_ms}: change the setting, or the topic with kafka-configs.sh --alter "
            f"--topic {plan.topic} --add-config retention.ms={plan.retention_ms}"
        )


def _reject_compaction(topic: str, found: _Found) -> None:
    policy = found.configs.get("cleanup.policy", "delete")
    if "compact" in policy:
        raise WrongTopic(
            f"{topic} has cleanup.policy={policy}, and compaction deletes all but the newest record "
            f"of a checkout: kafka-configs.sh --alter --topic {topic} "
            "--add-config cleanup.policy=delete fixes it, and `checkout topics` checks it"
        )


async def _create(admin: AIOKafkaAdminClient, plan: TopicPlan) -> bool:
    wanted = NewTopic(plan.topic, plan.partitions, plan.replication, topic_configs=plan.configs)
    response = await admin.create_topics([wanted])
    for _, code, *messages in response.topic_errors:
        error = for_code(code)
        if error is TopicAlreadyExistsError:
            return False
        if code:
            reason = next(filter(None, messages), error.__name__)
            raise WrongTopic(f"Kafka does not create {plan.topic}: {reason}")
    return True
