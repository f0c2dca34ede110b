"""What the load sent and which answers it got, for the audit to compare."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

SOURCE = "/faults/load"


@dataclass
class Ledger:
    """What was sent, what was promised, and the violations that readers saw."""

    published: dict[str, str] = field(default_factory=dict)
    """Commands that Kafka acknowledged: id to checkout."""
    http_answers: dict[tuple[str, str, str], tuple[str, int, int]] = field(default_factory=dict)
    """By method, path and idempotency key: checkout, status and version."""
    promised: Counter[str] = field(default_factory=Counter)
    """The newest version of each checkout that its first read, a 200 or a 201 returned."""
    payments: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By idempotency key of a complete: checkout, and the status of its final answer."""
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def version_of(response: httpx.Response) -> int:
    """The version in a response's ETag."""
    return int(response.headers["etag"].strip('"'))


def unique_items(number: int) -> dict[str, Any]:
    """Items with quantities that no other command of the load uses."""
    first, second = number % 9_999 + 1, number // 9_999 + 1
    lines = [{"id": "item_123", "quantity": first}, {"id": "item_456", "quantity": second}]
    return {"items": lines}
