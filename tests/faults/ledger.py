"""What the load sent and which answers it got, for the audit to compare."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from zlib import crc32

import httpx

SOURCE = "/faults/load"
OWN_REPLIES = "replies.load"
"""The topic, without prefix, on which the load asks for some of its replies."""

Seen = tuple[int, int]
"""The epoch of the store and the version of a checkout that a response shows."""


@dataclass
class Ledger:
    """What was sent, what was promised, and the violations that readers saw."""

    published: dict[str, str] = field(default_factory=dict)
    """Commands that Kafka acknowledged: id to checkout."""
    http_answers: dict[tuple[str, str, str], tuple[str, int, int]] = field(default_factory=dict)
    """By method, path and idempotency key: checkout, status and version."""
    promised: dict[str, Seen] = field(default_factory=dict)
    """The newest epoch and version of each checkout that its first read, a 200 or a 201 returned."""
    payments: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By idempotency key of a complete: checkout, and the status of its final answer."""
    contents: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """The hash of the content that was shown, by checkout and ETag."""
    absent: set[str] = field(default_factory=set)
    """Checkouts for which a reader or writer got a 404."""
    before_loss: set[Hashable] = field(default_factory=set)
    """The keys of `published`, `http_answers` and `payments`, and their checkouts, at the last loss."""
    lost_at: float = 0.0
    """Seconds since 1970 at the last loss; 0 if there was none."""
    fault: str = ""
    """The newest fault that was injected, for the report of a violation."""
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def record_promise(self, checkout: str, seen: Seen) -> None:
        """Record that from now on every reader sees this epoch and version of a checkout, or a later one."""
        self.promised[checkout] = max(self.promised.get(checkout, seen), seen)

    def record_violation(self, what: str) -> None:
        """Record what a reader or writer saw that must not be, and the newest fault."""
        self.violations.append(f"{what} ({self.fault})" if self.fault else what)

    def record_loss(self) -> None:
        """Record that a new epoch begins: of what was acknowledged, what is not on Kafka may be gone."""
        self.lost_at = time.time()
        self.before_loss.update(self.published, self.http_answers, self.payments)
        self.before_loss.update(self.published.values())
        self.before_loss.update(checkout for checkout, _, _ in self.http_answers.values())

    def record_content(self, response: httpx.Response) -> None:
        """Record the content of a checkout; another content under the same ETag is a violation."""
        checkout, tag = str(response.json()["id"]), response.headers["etag"]
        content = sha256(response.content).digest()
        if self.contents.setdefault((checkout, tag), content) != content:
            self.record_violation(f"{checkout}: ETag {tag} with two contents")


def reply_topic(command_id: str) -> str:
    """The topic, without prefix, on which the load asks for the reply: for some updates its own."""
    asks = command_id.startswith("k-") and crc32(command_id.encode()) % 3 == 0
    return OWN_REPLIES if asks else "replies"


def seen_in(response: httpx.Response) -> Seen:
    """The epoch and the version in a response's ETag."""
    version, _, epoch = response.headers["etag"].strip('"').partition(".")
    return int(epoch or 0), int(version)


def unique_items(number: int) -> dict[str, Any]:
    """Items with quantities that no other command of the load uses."""
    first, second = number % 9_999 + 1, number // 9_999 + 1
    lines = [{"id": "item_123", "quantity": first}, {"id": "item_456", "quantity": second}]
    return {"items": lines}
