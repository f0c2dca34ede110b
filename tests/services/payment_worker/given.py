"""Charges to begin with."""

from __future__ import annotations

from typing import Any

from domain.values import Address
from services.payment_worker.payment_gateway import Charge

ADDRESS = Address(
    name="Ada Lovelace",
    line_one="1 Main St",
    line_two="Flat 2",
    city="San Francisco",
    state="CA",
    country="US",
    postal_code="94105",
)


def a_charge(token: str = "pm_card_visa", **other: Any) -> Charge:
    given: dict[str, Any] = {
        "attempt_id": "attempt_1",
        "checkout_id": "checkout_1",
        "amount": 2650,
        "currency": "usd",
        "token": token,
    }
    return Charge(**{**given, **other})
