"""What the load has sent and was told, for the audit to hold against what is there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

SOURCE = "/faults/load"


@dataclass
class Ledger:
    """What was sent, what was promised, and what readers saw that breaks a promise."""

    published: dict[str, str] = field(default_factory=dict)
    """Commands that Kafka acknowledged: id to checkout."""
    http_answers: dict[tuple[str, str, str], tuple[str, int, int]] = field(default_factory=dict)
    """By method, path and idempotency key: checkout, status and version."""
    promised: Counter[str] = field(default_factory=Counter)
    """The newest version of each checkout that was shown first, or that a 200 or 201 told of."""
    payments: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By idempotency key of a complete: checkout, and the status of its final answer."""
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def version_of(response: httpx.Response) -> int:
    """The version that an answer shows."""
    return int(response.headers["etag"].strip('"'))


def items(number: int) -> dict[str, Any]:
    """Something that no other command of the load asks for."""
    first, second = number % 9_999 + 1, number // 9_999 + 1
    items = [{"id": "item_123", "quantity": first}, {"id": "item_456", "quantity": second}]
    return {"items": items}
