"""The outcome of a command: a small row that makes a repeat harmless."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from domain.rejection import Rejection, RejectionCode

COLUMNS = "key, fingerprint, checkout_id, version, refusal, recorded_at"
"""The columns of the table, as they are inserted: later builds may have added others."""
_CODES = frozenset(RejectionCode)
KEPT_FOR_SECONDS = 7 * 24 * 3600
"""How long every outcome is kept at least."""

UNKNOWN_FINGERPRINT = ""
"""Of an outcome that was rebuilt from the events on Kafka, which don't say what the request was: each
request with the same identity counts as its repeat.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one command, written in the transaction of its events.

    `key` begins with the command's channel. A repeat has the same `fingerprint` if it is the same
    request. `version` is the checkout's after an accepted command, from which the fold rebuilds the reply,
    and 0 after a rejected one. A complete whose payment was declined has both: it acted, and its answer
    is a rejection. `recorded_at` is in seconds since the epoch.
    """

    key: str
    fingerprint: str
    checkout_id: str
    version: int
    rejection: Rejection | None
    recorded_at: int

    def row(self) -> tuple[str, str, str, int, str | None, int]:
        """The values of `COLUMNS`."""
        return (
            self.key,
            self.fingerprint,
            self.checkout_id,
            self.version,
            encode_rejection(self.rejection),
            self.recorded_at,
        )

    @classmethod
    def of_row(
        cls,
        key: str,
        fingerprint: str,
        checkout_id: str,
        version: int,
        refusal: str | None,
        recorded_at: int,
    ) -> Outcome:
        """The outcome in a row of the table."""
        return cls(key, fingerprint, checkout_id, version, _decode(refusal), recorded_at)


def encode_rejection(rejection: Rejection | None) -> str | None:
    """A rejection as JSON for its column."""
    if rejection is None:
        return None
    facts = {"code": rejection.code, "message": rejection.message, "param": rejection.param}
    return orjson.dumps(facts).decode()


def _decode(rejection: str | None) -> Rejection | None:
    if rejection is None:
        return None
    facts = orjson.loads(rejection)
    code = facts["code"]
    if code not in _CODES:
        # A later build rejected it for a reason that this one does not know. The outcome stays as it is.
        return Rejection(RejectionCode.SERVICE_UNAVAILABLE, f"{code}: {facts['message']}")
    return Rejection(RejectionCode(code), facts["message"], facts["param"])
