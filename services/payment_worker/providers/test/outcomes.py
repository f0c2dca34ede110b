"""The test provider's tokens: each one chooses an outcome.

| token | what happens |
|---|---|
| `spt_123`, `spt_ok`, `spt_ok_…` | paid |
| `spt_declined` | declined, `card_declined` |
| `spt_insufficient_funds` | declined, `insufficient_funds` |
| `spt_expired_card` | declined, `expired_card` |
| `spt_authentication_required` | declined, `authentication_required` |
| `spt_timeout`, `spt_timeout_N` | no answer and no charge at the first 2 (N) calls, then paid |
| `spt_error` | a failure of the provider's own and no charge at the first call, then paid |
| `spt_rate_limited` | the first call must wait a second, then paid |
| `spt_lost_answer` | charged at the first call, but its answer is lost; a repeat is paid |
| `spt_late`, `spt_late_N` | charged at once, and the first call is answered after 8 (N) seconds |
| `spt_crash` | charged at once, and the first call is answered after 10 minutes: time to kill the caller |
| `spt_never` | never an answer, never a charge |
| anything else | declined, `invalid_token` |
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.payment_worker.payment_gateway import Declined, Undecided

_NUMBERED = re.compile(r"(spt_timeout|spt_late)_([0-9]{1,4})")

_DECLINED = {
    "spt_declined": Declined("card_declined", "The card was declined."),
    "spt_insufficient_funds": Declined("insufficient_funds", "The card has insufficient funds."),
    "spt_expired_card": Declined("expired_card", "The card has expired."),
    "spt_authentication_required": Declined(
        "authentication_required", "The bank wants the buyer to authenticate."
    ),
}
_INVALID_TOKEN = Declined("invalid_token", "There is no such payment token.")


@dataclass(frozen=True, slots=True)
class TokenOutcome:
    """The outcome of one call: it charges or not, waits `delay` seconds, and then fails or answers.

    `declined` is the answer if nothing was charged.
    """

    charges: bool = True
    delay: float = 0.0
    failure: Undecided | None = None
    declined: Declined = _INVALID_TOKEN


def outcome_of(token: str, call: int) -> TokenOutcome:
    """The outcome of a token at its n-th call, counted from 1."""
    numbered = _NUMBERED.fullmatch(token)
    name, number = (numbered[1], int(numbered[2])) if numbered else (token, None)
    if name == "spt_123" or re.fullmatch(r"spt_ok(_.*)?", name):
        return TokenOutcome()
    if name == "spt_timeout":
        return _fails("the test provider did not answer", until=number or 2, call=call)
    if name == "spt_error":
        return _fails("the test provider answered 500", until=1, call=call)
    if name == "spt_rate_limited":
        return _fails(
            "the test provider's rate limit is exceeded", until=1, call=call, retry_after=1.0
        )
    if name == "spt_never":
        return _fails("the test provider did not answer", until=call, call=call)
    if name == "spt_lost_answer":
        lost = Undecided("the test provider's answer was lost")
        return TokenOutcome(failure=lost if call == 1 else None)
    if name == "spt_late":
        return TokenOutcome(delay=(8.0 if number is None else number) if call == 1 else 0.0)
    if name == "spt_crash":
        return TokenOutcome(delay=600.0 if call == 1 else 0.0)
    return TokenOutcome(charges=False, declined=_DECLINED.get(name, _INVALID_TOKEN))


def _fails(reason: str, *, until: int, call: int, retry_after: float | None = None) -> TokenOutcome:
    if call > until:
        return TokenOutcome()
    return TokenOutcome(charges=False, failure=Undecided(reason, retry_after))
