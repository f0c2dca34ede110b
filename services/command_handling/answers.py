"""What the handler answers to an envelope."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.checkout import Checkout
from domain.rejection import Rejection, RejectionCode
from domain.values import Status
from projections.checkout_view import RenderedView, render_view


@dataclass(frozen=True, slots=True)
class Accepted:
    """Recorded. `view` shows the checkout as the command left it.

    `readable` is False when the view could not be written in time: a reader may still see an older
    version. `repeated` marks the first answer given again. `is_paying`: a payment has started, and how
    it ends is not known yet.
    """

    view: RenderedView
    repeated: bool = False
    readable: bool = True
    is_paying: bool = False

    @classmethod
    def of(cls, checkout: Checkout, *, repeated: bool = False) -> Accepted:
        """The answer that shows this checkout."""
        paying = checkout.status is Status.IN_PROGRESS
        return cls(render_view(checkout), repeated, is_paying=paying)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Rejection. Nothing was changed."""

    rejection: Rejection
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Expired:
    """Not begun in time, so dropped: it has not been done and will not be."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A fault of ours. Nothing was recorded, and nothing is remembered.

    `checkout_version` is the version that the checkout was at then; 0 when there was none.
    """

    checkout_version: int = 0
    rejection: Rejection = field(
        default_factory=lambda: Rejection(
            RejectionCode.INTERNAL, "something went wrong here; it was recorded for the operators"
        )
    )


Answer = Accepted | Rejected | Expired | Failed
