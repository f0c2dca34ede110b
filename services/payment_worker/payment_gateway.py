"""The interface to payment providers: a charge acts once, however often it is called."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from domain.values import Address


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge to request. `attempt_id` is the idempotency key: the same one never charges twice.

    `amount` is in minor units of `currency` (ISO 4217, lower case). `token` stands for the buyer's
    means of payment; it is secret, and so is anything that quotes it.
    """

    attempt_id: str
    checkout_id: str
    amount: int
    currency: str
    token: str
    billing_address: Address | None = None

    def __repr__(self) -> str:
        return f"Charge({self.attempt_id}, {self.amount} {self.currency})"


@dataclass(frozen=True, slots=True)
class Paid:
    """The payment was taken. `payment_id` is its id at the provider."""

    payment_id: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The payment was declined: nothing was charged, and nothing will be under this attempt.

    `code` is the provider's code, such as `card_declined`; `message` is for the buyer.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ProviderPayment:
    """A payment as the provider has it now. `attempt_id` and `checkout_id` are what the charge sent.

    `amount` and `refunded` are in minor units of `currency`, `created_at` is in seconds since the epoch.
    `is_final`: the money was taken; otherwise it still may be.
    """

    payment_id: str
    attempt_id: str
    checkout_id: str
    amount: int
    currency: str
    created_at: float
    refunded: int = 0
    is_final: bool = True

    @property
    def is_refunded(self) -> bool:
        """Whether all of it was refunded."""
        return self.is_final and self.refunded >= self.amount


class Undecided(Exception):
    """The outcome is unknown: the charge may have been made or not. Call again with the same
    attempt.

    `retry_after` is how many seconds the provider asked to wait, if it did. `needs_hand`: another
    call would not help, and an operator must look. `is_general`: any other charge would fail too,
    for example because the secret key was refused.
    """

    def __init__(
        self,
        reason: str,
        retry_after: float | None = None,
        *,
        needs_hand: bool = False,
        is_general: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.needs_hand = needs_hand
        self.is_general = is_general


class PaymentGateway(Protocol):
    """Takes payments. One object serves many charges at once.

    `key_retention` is for how many seconds the provider remembers an idempotency key: a charge is
    never repeated after that. `search_lag` is for how many seconds a search may miss a new payment.
    """

    key_retention: float
    search_lag: float

    async def charge(self, charge: Charge) -> Paid | Declined:
        """Charge, or return the outcome of the same charge when it was called before. Raises
        `Undecided`.
        """

    async def refund(self, payment_id: str, attempt_id: str) -> None:
        """Refund a whole payment; a repeated call acts once. Raises `Undecided`."""

    def payments(
        self, checkout_id: str | None = None, *, since: float = 0.0, until: float | None = None
    ) -> AsyncIterator[ProviderPayment]:
        """Find the payments that were taken or still may be; declined and canceled ones are left out.

        With a checkout's id, a search: it may miss what was created within `search_lag`. Without, a
        complete list of what was created between two times, in seconds since the epoch; it takes a call
        for each 100 payments of the account. Raises `Undecided`.
        """

    async def close(self) -> None:
        """Close the connections."""
