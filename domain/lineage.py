"""Which history an event store holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lineage:
    """The identity of a store's history.

    `lineage` is random, made with the store and kept by its backups. `epoch` is 0 at first. Each time the
    store has lost history that others may have seen, an epoch begins. Its number is the time, in seconds
    since 1970: a backup takes the number back too, and if it is restored twice, the two epochs must differ.
    """

    lineage: str
    epoch: int
