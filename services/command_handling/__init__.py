"""The only write path: command envelopes of every channel in, events into the store, answers out."""

from services.command_handling.answers import Accepted, Answer, Expired, Failed, Rejected
from services.command_handling.command_envelope import (
    NO_VERSION,
    CommandEnvelope,
    fingerprint_of,
    valid_traceparent,
)
from services.command_handling.group_committer import GroupCommitter, Overloaded
from services.command_handling.handler import Handler

__all__ = [
    "NO_VERSION",
    "Accepted",
    "Answer",
    "CommandEnvelope",
    "Expired",
    "Failed",
    "GroupCommitter",
    "Handler",
    "Overloaded",
    "Rejected",
    "fingerprint_of",
    "valid_traceparent",
]
