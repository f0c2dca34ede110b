"""The names of the topics."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LEGAL = re.compile(r"[A-Za-z0-9._-]+")
_LONGEST = 249
"""Kafka's limit on the length of a topic's name."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The four topics with a prefix."""

    prefix: str = "checkout."

    @property
    def commands(self) -> str:
        """Commands from publishers."""
        return f"{self.prefix}commands"

    @property
    def events(self) -> str:
        """Events."""
        return f"{self.prefix}events"

    @property
    def replies(self) -> str:
        """Replies to commands."""
        return f"{self.prefix}replies"

    @property
    def dead_letters(self) -> str:
        """Messages that could not be read or handled."""
        return f"{self.prefix}dead-letters"

    @property
    def all(self) -> tuple[str, ...]:
        """All four topics."""
        return (self.commands, self.events, self.replies, self.dead_letters)

    def may_reply_to(self, topic: str) -> bool:
        """Whether a publisher may ask for replies there: `<prefix>replies` or `<prefix>replies.<name>`."""
        if topic == self.replies:
            return True
        name = topic.removeprefix(f"{self.replies}.")
        return name != topic and len(topic) <= _LONGEST and bool(_LEGAL.fullmatch(name))
