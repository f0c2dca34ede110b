"""A Kafka message on its way out, and the CloudEvents 1.0 headers of what we send (binary mode)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SOURCE = "/checkout"
"""The `ce_source` of all that this service says."""

JSON = "application/json"
"""The content type of the data."""

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class ProducerRecord:
    """What goes to a topic. The key decides the partition, and so what stays in order."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


def cloud_event(
    topic: str, subject: str, attributes: Mapping[str, str | None], data: bytes
) -> ProducerRecord:
    """A CloudEvent with JSON data, keyed by its subject. Attributes that are None are left out;
    `traceparent` travels under its own name, as tracing tools expect it.
    """
    headers = [
        (name if name == "traceparent" else f"ce_{name}", value.encode())
        for name, value in context_attributes(subject, attributes).items()
    ]
    headers.append(("content-type", JSON.encode()))
    return ProducerRecord(topic, subject.encode(), data, headers)


def context_attributes(subject: str, own: Mapping[str, str | None]) -> dict[str, str]:
    """The CloudEvents attributes of a message: its own, but those that are None, and those of all."""
    given = {name: value for name, value in own.items() if value is not None}
    return {**given, "specversion": "1.0", "source": SOURCE, "subject": subject}
