"""Why a command is rejected. Defined once here, translated once by each channel."""

from __future__ import annotations

from enum import StrEnum


class RejectionCode(StrEnum):
    """The stable code that clients can branch on."""

    INVALID = "invalid"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    CHECKOUT_CLOSED = "checkout_closed"
    NOT_CANCELABLE = "not_cancelable"
    NOT_READY = "not_ready"
    IN_PROGRESS = "in_progress"
    PAYMENT_DECLINED = "payment_declined"
    ATTEMPT_CLOSED = "attempt_closed"
    VERSION_MISMATCH = "version_mismatch"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    INTERNAL = "internal"
    SERVICE_UNAVAILABLE = "service_unavailable"
    """This build can't decide the command: the only rejection that is not remembered."""


class Rejection(Exception):
    """A command is not carried out and changes nothing.

    `message` is for people; `param` is the JSONPath of the field at fault, if there is one.
    """

    def __init__(self, code: RejectionCode, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param

    @property
    def is_remembered(self) -> bool:
        """Whether a repeat of the command gets this answer again, instead of being decided anew."""
        return self.code is not RejectionCode.SERVICE_UNAVAILABLE

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rejection) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def _facts(self) -> tuple[str, str, str | None]:
        return (self.code, self.message, self.param)


def invalid(message: str, param: str | None = None) -> Rejection:
    """The most common rejection: a field is malformed, out of bounds or not in the merchant book."""
    return Rejection(RejectionCode.INVALID, message, param)


def idempotency_conflict() -> Rejection:
    """The identity of a command was used before for another command."""
    return Rejection(
        RejectionCode.IDEMPOTENCY_CONFLICT, "this identity was used before for another command"
    )


def undecidable() -> Rejection:
    """The stream of the checkout is damaged, so that the command can't be decided."""
    return Rejection(
        RejectionCode.SERVICE_UNAVAILABLE,
        "the checkout can't be changed now: its history can't be read in full; try again later",
    )


def of_later_build(topic: str) -> Rejection:
    """A later build recorded an event, without which the command can't be decided."""
    return Rejection(
        RejectionCode.SERVICE_UNAVAILABLE,
        f"the checkout has an event of a later version of this service, {topic}; "
        "send the command again once all processes are upgraded",
    )
