"""The result of `checkout store restored`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from services.event_store.lineage import Lineage


@dataclass(frozen=True, slots=True)
class Imported:
    """The versions of a checkout that were imported."""

    checkout_id: str
    first: int
    last: int

    def line(self) -> str:
        """The same for a person."""
        if self.first == self.last:
            return f"{self.checkout_id} version {self.first}: imported"
        return f"{self.checkout_id} versions {self.first} to {self.last}: imported"


@dataclass(frozen=True, slots=True)
class Difference:
    """A checkout of which store and topic still differ, from this version on."""

    checkout_id: str
    version: int
    what: str

    def line(self) -> str:
        """The same for a person."""
        return f"{self.checkout_id} version {self.version} {self.what}"


@dataclass(slots=True)
class Report:
    """What was found and done. `position` is where the relay continues."""

    imported: list[Imported] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    events: int = 0
    outcomes: int = 0
    position: int = 0
    epoch: int = 0
    is_new_epoch: bool = False

    def set_epoch(self, lineage: Lineage, *, is_new: bool) -> None:
        """Note the epoch that the store is in."""
        self.epoch, self.is_new_epoch = lineage.epoch, is_new

    def summary(self) -> dict[str, Any]:
        """The counts as JSON values."""
        facts = asdict(self)
        return facts | {
            "imported": len(self.imported),
            "differences": len(self.differences),
        }

    def line(self) -> str:
        """The counts for a person."""
        epoch = f"epoch {self.epoch} begins" if self.is_new_epoch else f"epoch {self.epoch} goes on"
        return (
            f"{self.events} events of {len(self.imported)} checkouts imported, {self.outcomes} outcomes "
            f"rebuilt, {len(self.differences)} checkouts differ; {epoch}, and writes go on. The relay "
            f"continues after position {self.position}"
        )
