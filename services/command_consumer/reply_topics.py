"""Chooses the topic of each reply: the one requested, or the default one if that fails."""

from __future__ import annotations

import time
from collections.abc import Iterable, Set
from typing import Protocol

from aiokafka.errors import KafkaConnectionError

_BELIEVED_SECONDS = 5.0
"""Seconds for which a topic that existed is assumed to exist."""

_DISTRUSTED_SECONDS = 60.0
"""Seconds for which a topic that was part of a failure gets no replies."""


class Cluster(Protocol):
    """Lists the topics of the cluster."""

    async def topics(self) -> dict[str, set[int]]:
        """The topics and their partitions. Raises `KafkaUnavailable`."""


class ReplyTopics:
    """Sending to a missing topic would block for 40 s, so its existence is checked first.

    A topic that exists may still fail: it may be about to be deleted, be closed to us, or take
    smaller messages only. No publisher's topic may hold a partition, so a topic that failed gets no
    replies for a while.
    """

    def __init__(self, fallback: str, cluster: Cluster) -> None:
        self._fallback = fallback
        self._cluster = cluster
        self._existing: Set[str] = frozenset()
        self._looked_at = float("-inf")
        self._distrusted_until: dict[str, float] = {}

    async def choose(self, requested: Set[str]) -> dict[str, str]:
        """The topic to use for each requested topic. Raises `KafkaUnavailable`."""
        now = time.monotonic()
        named = requested - {self._fallback}
        if named and (named - self._existing or now - self._looked_at > _BELIEVED_SECONDS):
            self._existing = set(await self._cluster.topics())
            self._looked_at = now
        return {
            topic: topic if self._is_good(topic, now) else self._fallback for topic in requested
        }

    def failed(self, used: Iterable[str], cause: BaseException | None) -> None:
        """Send no replies to these topics for a while, unless the whole cluster is down."""
        if isinstance(cause, KafkaConnectionError):
            self._distrusted_until = {}
        else:
            until = time.monotonic() + _DISTRUSTED_SECONDS
            self._distrusted_until = dict.fromkeys(used, until)

    def _is_good(self, topic: str, now: float) -> bool:
        return topic in self._existing and self._distrusted_until.get(topic, now) <= now
