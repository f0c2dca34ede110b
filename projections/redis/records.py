"""A record as it is stored in Redis: a line `<version> <revision>[ <member> <index>…]`, then its value."""

from __future__ import annotations

from projections.projection import Projection, Record

_PARTIAL = 0
"""The revision that a build gives a record if it does not know all events: one that does replaces it."""


def stored_form(
    version: int, projection: Projection, record: Record, *, is_partial: bool = False
) -> bytes:
    """A record of a checkout's version as it is stored."""
    revision = _PARTIAL if is_partial else projection.revision
    entry = f" {record.entry}" if record.member else ""
    return f"{version} {revision}{entry}\n".encode() + record.value


def head_of(stored: bytes | None) -> tuple[int, int]:
    """The version and the revision of a stored record; (0, 0) if it is missing or not a record."""
    line = (stored or b"").partition(b"\n")[0]
    version, revision, *_ = [*line.split(maxsplit=2), b"", b""]
    is_head = version.isdigit() and revision.isdigit()
    return (int(version), int(revision)) if is_head else (0, 0)


def is_partial(stored: bytes | None) -> bool:
    """Whether a build wrote the record that does not know all events of its checkout."""
    version, revision = head_of(stored)
    return version > 0 and revision == _PARTIAL


def value_of(
    stored: bytes | None, projection: Projection, *, or_partial: bool = False
) -> bytes | None:
    """The value of a stored record; None if it is missing, of an older revision or partial."""
    if stored is None:
        return None
    is_shown = head_of(stored)[1] >= projection.revision or (or_partial and is_partial(stored))
    return stored.partition(b"\n")[2] if is_shown else None
