"""What the load sent and which answers it got, for the audit to compare."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from zlib import crc32

import httpx

SOURCE = "/faults/load"
OWN_REPLIES = "replies.load"
"""The topic, without prefix, on which the load asks for some of its replies."""


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
    contents: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """The hash of the content that was shown, by checkout and ETag."""
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def record_content(self, response: httpx.Response) -> None:
        """Record the content of a checkout; another content under the same ETag is a violation."""
        checkout, tag = str(response.json()["id"]), response.headers["etag"]
        content = sha256(response.content).digest()
        if self.contents.setdefault((checkout, tag), content) != content:
            self.violations.append(f"{checkout}: ETag {tag} with two contents")


def reply_topic(command_id: str) -> str:
    """The topic, without prefix, on which the load asks for the reply: for some updates its own."""
    asks = command_id.startswith("k-") and crc32(command_id.encode()) % 3 == 0
    return OWN_REPLIES if asks else "replies"


def version_of(response: httpx.Response) -> int:
    """The version in a response's ETag."""
    return int(response.headers["etag"].strip('"').partition(".")[0])


def unique_items(number: int) -> dict[str, Any]:
    """Items with quantities that no other command of the load uses."""
    first, second = number % 9_999 + 1, number // 9_999 + 1
    lines = [{"id": "item_123", "quantity": first}, {"id": "item_456", "quantity": second}]
    return {"items": lines}
