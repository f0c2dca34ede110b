"""The streams that the relay has set aside: each has a row that can't be published, and later ones wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from services.event_store.recorder import Statement

_COLUMNS = "checkout_id, version, position, reason, since"
_ALL = f"SELECT {_COLUMNS} FROM set_aside ORDER BY since, checkout_id"  # noqa: S608 - names of our own
_PUT = (
    f"INSERT INTO set_aside ({_COLUMNS}) "  # noqa: S608 - names of our own
    "VALUES (:checkout_id, :version, :position, :reason, :since) ON CONFLICT (checkout_id) "
    "DO UPDATE SET version = excluded.version, position = excluded.position, "
    "reason = excluded.reason RETURNING version"
)
_REMOVE = "DELETE FROM set_aside WHERE checkout_id = :checkout_id RETURNING version"


@dataclass(frozen=True, slots=True)
class SetAside:
    """The events of a checkout from `version` on are not published, because of `reason`. `position` is that
    of the first; `since` is in seconds since the epoch.
    """

    checkout_id: str
    version: int
    position: int
    reason: str
    since: float

    def put(self) -> Statement:
        """The statement that sets the stream aside, or changes from where on."""
        return _PUT, asdict(self)

    def remove(self) -> Statement:
        """The statement that takes the stream up again."""
        return _REMOVE, {"checkout_id": self.checkout_id}


def is_set_aside(streams: Mapping[str, SetAside], checkout_id: str, version: int) -> bool:
    """Whether an event is set aside; `streams` by checkout."""
    stream = streams.get(checkout_id)
    return stream is not None and version >= stream.version


class SetAsideStreams:
    """Reads them; the relay writes them in the transactions of its position."""

    def __init__(self, run: Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]) -> None:
        self._run = run

    def all(self) -> list[SetAside]:
        """All streams that are set aside, the first one first."""
        return [SetAside(**row) for row in self._run(_ALL, {})]

    def by_checkout(self) -> dict[str, SetAside]:
        """The same by checkout."""
        return {stream.checkout_id: stream for stream in self.all()}
