"""The history of a checkout, event by event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from domain.checkout import BrokenStream, Checkout, evolve
from domain.events import EVENTS, RecordedEvent
from services.audit.event_descriptions import describe
from services.audit.streams import read, stream_of
from services.event_store import EventStore
from services.messages.rfc3339 import format_rfc3339


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An event of a history. `before` and `after` are the checkout without and with it, as far as
    the stream can be folded; `trouble` says why it can't.
    """

    version: int
    topic: str
    recorded: RecordedEvent | None
    before: Checkout | None
    after: Checkout | None
    trouble: str | None = None

    def changes(self) -> list[str]:
        """A description of each change."""
        return describe(self.before, self.recorded.event) if self.recorded else []

    @property
    def _name(self) -> str:
        """The name of an event that this build knows, else the topic."""
        return (
            self.topic.partition(":")[0] if self.topic in EVENTS and self.recorded else self.topic
        )

    def as_json(self) -> dict[str, Any]:
        """The entry as JSON values; what is unknown is null."""
        recorded = self.recorded
        metadata = recorded.metadata.model_dump(mode="json") if recorded else {}
        origin = ("door", "actor", "command_source", "command_id", "correlation_id", "traceparent")
        return {
            "version": self.version,
            "time": format_rfc3339(recorded.at) if recorded else None,
            "event": self._name,
            **{name: metadata.get(name) for name in origin},
            "changes": self.changes(),
            "currency": self.after.currency if self.after else None,
            "total_before": _total(self.before),
            "total_after": _total(self.after),
            "trouble": self.trouble,
        }

    def lines(self) -> list[str]:
        """The entry for a person: a line about the event, and indented lines."""
        recorded = self.recorded
        if recorded is None:
            return [f"{self.version}  {self.topic}", f"! {self.trouble}"]
        by = recorded.metadata
        command = f"command {by.command_source} {by.command_id}, correlation {by.correlation_id}"
        lines = [
            f"{self.version}  {format_rfc3339(recorded.at)}  {self._name}",
            f"by {by.actor} over {by.channel}: {command}",
            "; ".join(self.changes()),
        ]
        old, new = _total(self.before), _total(self.after)
        if self.after and old != new:
            lines.append(f"total {'none' if old is None else old} → {new} {self.after.currency}")
        elif self.after and new is not None:
            lines.append(f"total {new} {self.after.currency}, as before")
        return [*lines, f"! {self.trouble}"] if self.trouble else lines


def history(store: EventStore, checkout_id: str) -> Iterator[HistoryEntry]:
    """The events of a checkout, oldest first; none if there is no such checkout.

    After a break in the stream, events are described without the state before them.
    """
    state: Checkout | None = None
    trouble: str | None = None
    for row in stream_of(store, checkout_id):
        event = read(row)
        recorded = None if isinstance(event, str) else event
        before, trouble = state, event if isinstance(event, str) else trouble
        if recorded and trouble is None:
            try:
                state = evolve(state, recorded)
            except BrokenStream as error:
                trouble = f"the stream is broken here: {error}"
        if trouble:
            before = state = None
        yield HistoryEntry(row.version, row.topic, recorded, before, state, trouble)


def _total(checkout: Checkout | None) -> int | None:
    amounts = [row.amount for row in checkout.totals if row.type == "total"] if checkout else []
    return amounts[0] if amounts else None
