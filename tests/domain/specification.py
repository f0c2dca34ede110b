"""One test language for the domain: given events, when a command, then events, side rows or a rejection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from domain.checkout import Checkout, fold
from domain.commands import Command
from domain.decide import decide
from domain.decision import Decision, SideRow
from domain.events import Event, record
from domain.rejection import Rejection, RejectionCode
from tests.domain.books import BOOK
from tests.domain.given import METADATA, NOW


@dataclass(frozen=True)
class Then:
    """What follows from the command."""

    decided: Callable[[], Decision]

    def then(self, *events: Event, side_rows: tuple[SideRow, ...] = ()) -> None:
        assert self.decided() == Decision(events, side_rows)

    def then_rejected(self, code: RejectionCode, param: str | None = None) -> None:
        with pytest.raises(Rejection) as caught:
            self.decided()
        assert (caught.value.code, caught.value.param) == (code, param)


@dataclass(frozen=True)
class Given:
    """A checkout as these events left it; None where there were none."""

    checkout: Checkout | None

    def when(self, command: Command, **more: Any) -> Then:
        """Decide a command by the tests' book, unless `more` says otherwise."""
        arguments = {"book": BOOK, "lineage": "lineage1"} | more
        return Then(lambda: decide(self.checkout, command, **arguments))


def given(*events: Event, checkout: Checkout | None = None) -> Given:
    """A checkout after these events, which follow `checkout` if it is there."""
    version = checkout.version if checkout else 0
    return Given(fold(record("c1", version, NOW, events, METADATA), checkout))
