"""The seam for read models: what a projection is, and what it keeps of a checkout."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple, Protocol

from domain.checkout import Checkout
from domain.presentation import view_of


class Record(NamedTuple):
    """What one projection keeps of one checkout.

    `value` is what readers get. `member` is the record's entry in each of the sorted sets `indexes`; Redis
    sorts members by their bytes. Neither member nor index names may have white space. An index's key is
    its name after the base of all keys (`projections.redis.keys`).
    """

    value: bytes
    member: str = ""
    indexes: tuple[str, ...] = ()

    @property
    def entry(self) -> str:
        """Member and indexes, as the first line of the stored record has them."""
        return " ".join((self.member, *self.indexes))


class Source:
    """What projections are made from: the state of a checkout, and its view, rendered once for all."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout

    @cached_property
    def view(self) -> dict[str, Any]:
        """The checkout as GET shows it, as JSON values. What is not known yet is left out."""
        return view_of(self.checkout).model_dump(mode="json")


class Projection(Protocol):
    """Maps the state of a checkout to the record that is kept of it.

    A projection needs the folded state alone, so it never depends on which events a consumer has seen.
    Its records are only ever replaced by newer ones, by version and then by `revision`: raise that when
    `project` changes, and what older builds wrote is rebuilt. `name` is a part of its keys in Redis.
    """

    @property
    def name(self) -> str:
        """Lower-case letters and underscores."""

    @property
    def revision(self) -> int:
        """The revision of the record's shape, counted from 1."""

    def project(self, source: Source) -> Record:
        """The record of a checkout."""
