"""The handler's answers to commands."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.checkout import Checkout
from domain.rejection import Rejection, RejectionCode
from domain.values import Status
from projections.registry import RenderedView, render_view


@dataclass(frozen=True, slots=True)
class Accepted:
    """The command was recorded. `view` shows the checkout as the command left it.

    `readable` is False if the view could not be written in time, so that readers may still see an older
    version. `repeated` marks the replayed answer to a repeat. `is_paying`: a payment has started and has
    not ended yet. `current` shows the checkout as it is now, if a repeat's `view` is older than that.
    """

    view: RenderedView
    repeated: bool = False
    readable: bool = True
    is_paying: bool = False
    current: RenderedView | None = field(default=None, compare=False)

    @property
    def view_to_write(self) -> RenderedView:
        """What readers must see from now on: never an older version, which they would take for the latest
        where the latest is missing.
        """
        return self.current or self.view

    @classmethod
    def of(cls, checkout: Checkout, epoch: int, *, repeated: bool = False) -> Accepted:
        """An answer that shows this checkout, as it is in an epoch of the store."""
        paying = checkout.status is Status.IN_PROGRESS
        return cls(render_view(checkout, epoch), repeated, is_paying=paying)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The command was rejected and changed nothing."""

    rejection: Rejection
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Expired:
    """Dropped before it started: the caller's deadline had passed."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A bug. Nothing was recorded, not even an outcome.

    `checkout_version` is the checkout's version at that time; 0 if it did not exist.
    """

    checkout_version: int = 0
    rejection: Rejection = field(
        default_factory=lambda: Rejection(
            RejectionCode.INTERNAL, "something went wrong here; it was recorded for the operators"
        )
    )


Answer = Accepted | Rejected | Expired | Failed
