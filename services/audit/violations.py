"""What differs from what is promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Progress = Callable[[str, int, int | None], None]
"""Gets the name of a step, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A violation in words, with the checkout and the version where it has them."""

    what: str
    checkout_id: str | None = None
    version: int | None = None

    def line(self) -> str:
        """`ID version N: what`."""
        if self.checkout_id is None:
            return self.what
        version = "" if self.version is None else f" version {self.version}"
        return f"{self.checkout_id}{version}: {self.what}"

    def as_json(self) -> dict[str, Any]:
        """`{"checkout", "version", "what"}`; null where there is none."""
        return {"checkout": self.checkout_id, "version": self.version, "what": self.what}
