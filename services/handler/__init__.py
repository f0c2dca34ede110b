"""The one write path: submissions from either door in, events and outcomes into the store, answers out."""

from services.handler.answers import Accepted, Answer, Expired, Failed, Rejected
from services.handler.handler import Handler
from services.handler.payments import INTERNAL, refusal_of
from services.handler.submission import Submission, fingerprint_of, valid_traceparent
from services.handler.writer import Overloaded, Writer

__all__ = [
    "INTERNAL",
    "Accepted",
    "Answer",
    "Expired",
    "Failed",
    "Handler",
    "Overloaded",
    "Rejected",
    "Submission",
    "Writer",
    "fingerprint_of",
    "refusal_of",
    "valid_traceparent",
]
