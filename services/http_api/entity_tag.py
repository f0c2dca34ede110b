"""Entity tags: each names one content of a checkout, also after the store has lost history."""

from __future__ import annotations

from dataclasses import dataclass

from services.command_handling import NO_VERSION


@dataclass(frozen=True, slots=True)
class EntityTag:
    """A version of a checkout in an epoch of the store. A lost version's number is given again in the
    next epoch, to another content.
    """

    version: int
    epoch: int = 0
    digest: str = ""
    """Of the content of a partial view: the same version has another one in a build that knows more."""

    @property
    def header(self) -> str:
        """The tag as `ETag` has it: without the epoch while that is 0."""
        return f'"{self.identity}-{self.digest}"' if self.digest else f'"{self.identity}"'

    @property
    def identity(self) -> int | str:
        """What a request's fingerprint has of it."""
        return f"{self.version}.{self.epoch}" if self.epoch else self.version

    @property
    def epoch_or_any(self) -> int | None:
        """The epoch; None if the version means the same in all: a checkout that doesn't exist yet."""
        return self.epoch if self.version else None


NO_TAG = EntityTag(NO_VERSION)
"""Stands for tags that no checkout has."""
