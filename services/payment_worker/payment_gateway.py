"""The port behind which payment providers stand: one charge, asked once or often, acts once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from domain.values import Address


@dataclass(frozen=True, slots=True)
class Charge:
    """What is asked of a provider. `attempt_id` is the idempotency key: the same one never charges twice.

    `amount` is in minor units of `currency` (ISO 4217, lower case). `token` stands for the buyer's
    means of payment; it is a secret, and so is whatever quotes it.
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
    """The provider's decisive yes. `payment_id` is the payment's name there."""

    payment_id: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider's decisive no: nothing was charged, and under this attempt nothing will be.

    `code` is a stable word of the provider's, such as `card_declined`; `message` is for the buyer.
    """

    code: str
    message: str


class Undecided(Exception):
    """No decisive answer: the charge may have been made or not. Ask again with the same attempt.

    `retry_after` is how many seconds the provider asked us to wait, if it did. `needs_hand` is set
    where asking again would not help: somebody has to look. `is_general` is set where any other charge
    would meet the same, such as a refused secret key: that is for the operators to mend.
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
    never asked again beyond it.
    """

    key_retention: float

    async def charge(self, charge: Charge) -> Paid | Declined:
        """Charge, or say what became of this charge when it was asked before. Raises `Undecided`."""

    async def refund(self, payment_id: str, attempt_id: str) -> None:
        """Give a payment back as a whole; asked again, it acts once. Raises `Undecided`."""

    async def close(self) -> None:
        """Let go of connections."""
