"""The one write path: envelopes from either door in, events and outcomes into the store, answers out."""

from services.command_handling.answers import Accepted, Answer, Expired, Failed, Rejected
from services.command_handling.command_envelope import (
    CommandEnvelope,
    fingerprint_of,
    valid_traceparent,
)
from services.command_handling.group_committer import GroupCommitter, Overloaded
from services.command_handling.handler import Handler
from services.command_handling.payment_rows import rejection_of

__all__ = [
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
    "rejection_of",
    "valid_traceparent",
]
