"""Where replies go: the topic asked for, or everybody's, if that one can't be written to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Set
from typing import Protocol

from aiokafka.errors import KafkaConnectionError

_BELIEVED_SECONDS = 5.0
"""For how long a topic that was there is taken to be there."""

_DISTRUSTED_SECONDS = 60.0
"""For how long replies keep away from a topic that was part of a failure."""


class Cluster(Protocol):
    """Whoever can tell which topics there are."""

    async def topics(self) -> dict[str, set[int]]:
        """The topics and their partitions. Raises `KafkaUnavailable`."""


class ReplyTopics:
    """Sending to a topic that isn't there would block for 40 s, so it is looked for first.

    One that is there may still fail us: it is going away, is closed to us, or takes smaller messages
    only. No publisher may hold a partition with his topic, so whatever failed is avoided for a while.
    """

    def __init__(self, fallback: str, cluster: Cluster) -> None:
        self._fallback = fallback
        self._cluster = cluster
        self._existing: Set[str] = frozenset()
        self._looked_at = float("-inf")
        self._distrusted_until: dict[str, float] = {}

    async def choose(self, asked: Set[str]) -> dict[str, str]:
        """The topic to use for each topic asked for. Raises `KafkaUnavailable`."""
        now = time.monotonic()
        named = asked - {self._fallback}
        if named and (named - self._existing or now - self._looked_at > _BELIEVED_SECONDS):
            self._existing = set(await self._cluster.topics())
            self._looked_at = now
        return {topic: topic if self._is_good(topic, now) else self._fallback for topic in asked}

    def failed(self, used: Iterable[str], cause: BaseException | None) -> None:
        """Keep away from these topics for a while, unless the whole cluster is away."""
        if isinstance(cause, KafkaConnectionError):
            self._distrusted_until = {}
        else:
            until = time.monotonic() + _DISTRUSTED_SECONDS
            self._distrusted_until = dict.fromkeys(used, until)

    def _is_good(self, topic: str, now: float) -> bool:
        return topic in self._existing and self._distrusted_until.get(topic, now) <= now
