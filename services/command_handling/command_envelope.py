"""A command with what its channel knows of it: who sent it, and what identifies it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from domain.commands import Command
from domain.events import Channel, Metadata
from domain.rejection import Rejection
from services.messages.strict_json import canonical_json

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


NO_VERSION = -1
"""As an expected version: no checkout is ever at it."""


@dataclass(frozen=True)
class CommandEnvelope:
    """One command on its way to the handler.

    `command` is the command, or the rejection of a message that is not a valid one; that rejection is
    remembered like any other. `channel`, `source` and `command_id` identify the command. A repeat has the
    same `fingerprint` if it is the same request. Without `remembered` it leaves no outcome. After
    `expires_at` (monotonic seconds) it is not started any more. `kind` is the name of the command
    where `command` is a rejection; empty if the name is unknown. `expected_version` is one of
    `expected_epoch`, if that is given: in another epoch of the store no checkout is at it.
    """

    channel: Channel
    source: str
    command_id: str
    checkout_id: str
    command: Command | Rejection
    fingerprint: str
    actor: str
    correlation_id: str
    traceparent: str | None = None
    expected_version: int | None = None
    expected_epoch: int | None = None
    remembered: bool = True
    kind: str = ""
    expires_at: float | None = None

    def expected_in(self, epoch: int) -> int | None:
        """The version that the checkout must be at, in an epoch of the store."""
        if self.expected_version is None or self.expected_epoch in (None, epoch):
            return self.expected_version
        return NO_VERSION

    @cached_property
    def key(self) -> str:
        """The key of its outcome."""
        return outcome_key(self.channel, self.source, self.command_id)

    @property
    def command_name(self) -> str:
        """The name for metrics and logs: a command's name, or `unknown`."""
        return self.kind or (
            "unknown" if isinstance(self.command, Rejection) else self.command.NAME
        )

    @property
    def metadata(self) -> Metadata:
        """What is recorded with each of the command's events."""
        return Metadata(
            channel=self.channel,
            actor=self.actor,
            command_source=self.source,
            command_id=self.command_id,
            correlation_id=self.correlation_id,
            traceparent=self.traceparent,
        )


def outcome_key(channel: Channel | str, source: str, command_id: str) -> str:
    """The key of a command's outcome: the channel, so that no channel can take another's identities,
    and a digest, because an identity may be long.
    """
    return f"{channel}:{_digest([source, command_id])}"


def valid_traceparent(given: str | None) -> str | None:
    """The W3C trace context header; None if it is malformed, which rejects no command."""
    return given if given and _TRACEPARENT.fullmatch(given) else None


def fingerprint_of(*parts: Any) -> str:
    """A digest of JSON values, equal for equal values in any spelling and order of keys."""
    return _digest(list(parts))


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value)).hexdigest()
