"""How far the relay has published the store's events, and where they end on Kafka."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.event_store.positions import RELAY
from services.event_store.recorder import Statement

_READ = (
    "SELECT p.position, b.topic, b.ends, b.position AS last_position, b.checkout_id, b.version, "
    "e.originator_id AS found_id, e.originator_version AS found_version, "
    "(SELECT max({place}) FROM stored_events) AS newest, "
    "(SELECT reason FROM write_guard WHERE only_row = 1) AS stopped, "
    "(SELECT count(*) FROM set_aside) AS set_aside "
    "FROM (SELECT 1 AS one) AS always LEFT JOIN positions p ON p.name = :name "
    "LEFT JOIN publication b ON b.only_row = 1 LEFT JOIN stored_events e ON e.{place} = p.position"
)
_SET_POSITION = (
    "INSERT INTO positions (name, position) VALUES (:name, :position) "
    "ON CONFLICT (name) DO UPDATE SET position = excluded.position RETURNING position"
)
_ADVANCE_POSITION = (
    "UPDATE positions SET position = :position WHERE name = :name AND position = :before "
    "RETURNING position"
)
_FIRST_POSITION = (
    "INSERT INTO positions (name, position) VALUES (:name, 0) "
    "ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING position"
)
_SET_REST = (
    "INSERT INTO publication (only_row, topic, ends, position, checkout_id, version) "
    "VALUES (1, :topic, :ends, :position, :checkout_id, :version) ON CONFLICT (only_row) "
    "DO UPDATE SET topic = excluded.topic, ends = excluded.ends, position = excluded.position, "
    "checkout_id = excluded.checkout_id, version = excluded.version RETURNING position"
)


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """The event at the relay's position: the last one that Kafka has acknowledged."""

    position: int
    checkout_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Publication:
    """Kafka has acknowledged the events up to `position`.

    `last` is the event at that position, None if it is not known. `ends` are the offsets after the last
    acknowledged record of each partition of `topic`: the topic can't end before them unless it was deleted
    or truncated.
    """

    position: int = 0
    last: PublishedEvent | None = None
    topic: str = ""
    ends: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RelayState:
    """What the relay looks at before each batch, from one query.

    `found` is the event that the store has at the publication's position, `newest` its newest position,
    `stopped` why writes are stopped, and `set_aside` the number of streams that are set aside.
    """

    publication: Publication
    found: PublishedEvent | None = None
    newest: int = 0
    stopped: str | None = None
    set_aside: int = 0


class PublicationLog:
    """Reads and writes the `Publication` of a store. `run_together` runs statements in one transaction, and
    writes nothing if one of them returns no row. `place` is the column of an event's position.
    """

    def __init__(
        self,
        run: Callable[[str, Mapping[str, Any]], list[dict[str, Any]]],
        run_together: Callable[[Sequence[Statement]], bool],
        place: str,
    ) -> None:
        self._run = run
        self._read = _READ.format(place=place)
        self._run_together = run_together

    def read(self) -> Publication:
        """The publication now."""
        return self.state().publication

    def state(self) -> RelayState:
        """The publication now, with what the store has at its position."""
        [row] = self._run(self._read, {"name": RELAY})
        found = None
        if row["found_id"] is not None:
            found = PublishedEvent(row["position"], row["found_id"], row["found_version"])
        return RelayState(
            _publication(row), found, row["newest"] or 0, row["stopped"], row["set_aside"]
        )

    def advance(
        self, before: Publication, after: Publication, more: Sequence[Statement] = ()
    ) -> bool:
        """Move forward and run `more`, of which each returns a row, in one transaction.

        Unless the position was changed since `before` was read: then change nothing and return False.
        """
        facts = {"name": RELAY, "position": after.position, "before": before.position}
        first = [] if before.position else [(_FIRST_POSITION, {"name": RELAY})]
        return self._run_together([*first, (_ADVANCE_POSITION, facts), _rest(after), *more])

    def restart(self, after: Publication) -> None:
        """Let the active relay continue from another position, forward or back."""
        self._run_together(restart_statements(after))


def _publication(row: Mapping[str, Any]) -> Publication:
    if row["position"] is None:
        return Publication()
    last = None
    if row["checkout_id"] is not None:
        last = PublishedEvent(row["last_position"], row["checkout_id"], row["version"])
    ends = orjson.loads(row["ends"] or "{}")
    return Publication(
        row["position"], last, row["topic"] or "", {int(n): end for n, end in ends.items()}
    )


def restart_statements(after: Publication) -> list[Statement]:
    """The statements of `PublicationLog.restart`, for a larger transaction."""
    return [(_SET_POSITION, {"name": RELAY, "position": after.position}), _rest(after)]


def _rest(after: Publication) -> Statement:
    last = after.last
    return _SET_REST, {
        "topic": after.topic,
        "ends": orjson.dumps({str(n): end for n, end in after.ends.items()}).decode(),
        "position": after.position,
        "checkout_id": last.checkout_id if last else None,
        "version": last.version if last else None,
    }
