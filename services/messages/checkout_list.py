"""A page of the list of checkouts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from domain.values import Value
from projections.list_page import ListPage
from projections.listed_checkout import ListedCheckout


class CheckoutPage(Value):
    """Some of the checkouts that match a filter, newest first."""

    data: list[ListedCheckout]
    has_more: Annotated[bool, Field(description="Whether there are older ones after these.")]
    total_count: Annotated[
        int, Field(ge=0, description="How many the filter leaves, whatever the `cursor`.")
    ]

    @classmethod
    def of(cls, page: ListPage) -> CheckoutPage:
        """A page to send."""
        return cls.model_construct(
            data=page.items, has_more=page.has_more, total_count=page.total_count
        )
