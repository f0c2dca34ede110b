"""A Kafka message on its way out."""

from __future__ import annotations

from dataclasses import dataclass

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class ProducerRecord:
    """A message for a topic. The key decides the partition, and so what stays in order."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
