"""A command as a door hands it in: what is asked, by whom, and what makes it the same command."""

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


@dataclass(frozen=True)
class CommandEnvelope:
    """One command on its way to the handler.

    `command` is the command, or why the message can't be one: that rejection is remembered like any
    other. `channel`, `source` and `command_id` identify the command; `fingerprint` tells whether a
    repeat asks for the same. One that is not `remembered` leaves no outcome. After `expires_at`
    (monotonic seconds) nobody waits for it, and it is not begun any more. `kind` is the name of the
    command that was meant, where `command` can't tell; empty if that is none that we know.
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
    remembered: bool = True
    kind: str = ""
    expires_at: float | None = None

    @cached_property
    def key(self) -> str:
        """The key of its outcome."""
        return outcome_key(self.channel, self.source, self.command_id)

    @property
    def command_name(self) -> str:
        """What it is called in metrics and logs: one of the commands' names, or `unknown`."""
        return self.kind or (
            "unknown" if isinstance(self.command, Rejection) else self.command.NAME
        )

    @property
    def metadata(self) -> Metadata:
        """Who asked, as it is recorded with each event."""
        return Metadata(
            channel=self.channel,
            actor=self.actor,
            command_source=self.source,
            command_id=self.command_id,
            correlation_id=self.correlation_id,
            traceparent=self.traceparent,
        )


def outcome_key(channel: Channel, source: str, command_id: str) -> str:
    """The key of a command's outcome: the channel, so that none squats on another's identities, and a
    digest, because an identity may be long.
    """
    return f"{channel}:{_digest([source, command_id])}"


def valid_traceparent(given: str | None) -> str | None:
    """A W3C trace context header, or None for anything else: it is carried on, never judged."""
    return given if given and _TRACEPARENT.fullmatch(given) else None


def fingerprint_of(*parts: Any) -> str:
    """A digest of JSON values: equal for equal values, whatever their spelling or order of keys."""
    return _digest(list(parts))


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value)).hexdigest()
