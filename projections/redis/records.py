"""A record as it is stored in Redis: a line `<version> <revision>[ <member> <index>…]`, then its value."""

from __future__ import annotations

from projections.projection import Projection, Record


def stored_form(version: int, projection: Projection, record: Record) -> bytes:
    """A record of a checkout's version as it is stored."""
    entry = f" {record.entry}" if record.member else ""
    return f"{version} {projection.revision}{entry}\n".encode() + record.value


def head_of(stored: bytes | None) -> tuple[int, int]:
    """The version and the revision of a stored record; (0, 0) if it is missing or not a record."""
    line = (stored or b"").partition(b"\n")[0]
    version, revision, *_ = [*line.split(maxsplit=2), b"", b""]
    is_head = version.isdigit() and revision.isdigit()
    return (int(version), int(revision)) if is_head else (0, 0)


def value_of(stored: bytes | None, projection: Projection) -> bytes | None:
    """The value of a stored record; None if it is missing or of an older revision."""
    if stored is None or head_of(stored)[1] < projection.revision:
        return None
    return stored.partition(b"\n")[2]
