"""Chooses the topic of each reply: the one requested, or the default one if that takes no writes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Set
from typing import Protocol

from aiokafka.errors import (
    InvalidTopicError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)

_BELIEVED_SECONDS = 5.0
"""Seconds for which a topic that existed is assumed to exist."""

_AVOIDED_SECONDS = 60.0
"""Seconds for which a topic that took no writes gets no replies."""


_REFUSALS = (
    InvalidTopicError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
"""The errors by which a topic refuses a message for good. Any other one may be the whole cluster's."""


class Cluster(Protocol):
    """Lists the topics of the cluster."""

    async def topics(self) -> dict[str, set[int]]:
        """The topics and their partitions. Raises `KafkaUnavailable`."""


class ReplyTopics:
    """Sending to a missing topic would block for 40 s, so its existence is checked first.

    A topic that exists may still fail: it may be closed to us, or take smaller messages only. No publisher's
    topic may hold a partition, so one that failed gets no replies for a while. One that only did not answer
    in time may be sound, and the whole cluster at fault: its replies then go to the default topic as well,
    and if that acknowledges them while the topic fails again, it is the topic.
    """

    def __init__(self, fallback: str, cluster: Cluster) -> None:
        self._fallback = fallback
        self._cluster = cluster
        self._existing: Set[str] = frozenset()
        self._looked_at = float("-inf")
        self._suspected: set[str] = set()
        self._avoided_until: dict[str, float] = {}

    async def choose(self, requested: Set[str]) -> dict[str, tuple[str, ...]]:
        """The topics to use for each requested topic. Raises `KafkaUnavailable`."""
        now = time.monotonic()
        named = requested - {self._fallback}
        if named and (named - self._existing or now - self._looked_at > _BELIEVED_SECONDS):
            self._existing = set(await self._cluster.topics())
            self._looked_at = now
        return {topic: self._for(topic, now) for topic in requested}

    def _for(self, topic: str, now: float) -> tuple[str, ...]:
        is_usable = topic in self._existing and self._avoided_until.get(topic, now) <= now
        if topic == self._fallback or not is_usable:
            return (self._fallback,)
        return (topic, self._fallback) if topic in self._suspected else (topic,)

    def failed(self, failed: Mapping[str, Exception], used: Set[str]) -> None:
        """Judge the topics that failed with these errors, of those that were used together."""
        others_work = bool(used - failed.keys())
        for topic, error in failed.items():
            if isinstance(error, _REFUSALS) or (others_work and topic in self._suspected):
                self._avoided_until[topic] = time.monotonic() + _AVOIDED_SECONDS
            else:
                self._suspected.add(topic)

    def succeeded(self) -> None:
        """All replies were acknowledged."""
        self._suspected.clear()
