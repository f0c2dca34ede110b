"""The configuration of each topic, from the settings."""

from __future__ import annotations

from dataclasses import dataclass

from services.kafka.topics import Topics
from services.runtime.settings import UNLIMITED, Settings, variable

_MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """One topic: its partitions, its replicas, and its retention."""

    topic: str
    kind: str
    """`commands`, `events`, `replies` or `dead_letters`."""
    partitions: int
    replication: int
    retention_hours: int

    @property
    def retention_ms(self) -> int:
        """Milliseconds; -1 for unlimited."""
        if self.retention_hours == UNLIMITED:
            return -1
        return self.retention_hours * _MS_PER_HOUR

    @property
    def configs(self) -> dict[str, str]:
        """The topic's configuration in Kafka.

        Only age deletes records: a size limit could delete commands that nobody has read yet. No
        topic is compacted: the newest record of a key does not replace the older ones.
        """
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            # An acknowledged record is on another broker too, and one broker may be down.
            "min.insync.replicas": str(max(1, self.replication - 1)),
        }

    @property
    def partitions_variable(self) -> str:
        """The setting of the number of partitions."""
        return variable(f"topic_{self.kind}_partitions")

    @property
    def retention_variable(self) -> str:
        """The setting of the retention."""
        return variable(f"topic_{self.kind}_retention_hours")


def topic_plans(settings: Settings) -> list[TopicPlan]:
    """The plans of the four topics."""
    topics = Topics(settings.topic_prefix)
    names = {
        "commands": topics.commands,
        "events": topics.events,
        "replies": topics.replies,
        "dead_letters": topics.dead_letters,
    }
    return [
        TopicPlan(
            topic,
            kind,
            getattr(settings, f"topic_{kind}_partitions") or settings.topic_partitions,
            settings.topic_replication,
            getattr(settings, f"topic_{kind}_retention_hours"),
        )
        for kind, topic in names.items()
    ]
