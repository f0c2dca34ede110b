"""Buyers: each pays for its cart until the payment is taken, and knows how each attempt was answered."""

from __future__ import annotations

import random
from typing import Any

from tests.faults.doors import Doors
from tests.faults.ledger import items

ADDRESS = {
    "name": "Ada King",
    "line_one": "1 Main St",
    "city": "Los Angeles",
    "state": "CA",
    "country": "US",
    "postal_code": "90210",
}
TOKENS = (
    *["spt_123"] * 6,
    *["spt_declined", "spt_insufficient_funds", "spt_no_such_token"],
    *["spt_timeout_1", "spt_lost_answer", "spt_late_2", "spt_error", "spt_rate_limited"],
)
"""What buyers pay with: see the test provider's tokens."""


class Buyer:
    """Fills a cart and pays for it, over either door."""

    def __init__(self, doors: Doors, chance: random.Random) -> None:
        self._doors = doors
        self._random = chance

    async def buy(self, number: int) -> None:
        """One order, or one attempt at it over Kafka, whose end is an event."""
        cart = {**items(number), "fulfillment_address": ADDRESS}
        checkout = await self._doors.write("POST", "/v1/checkouts", f"b-{number}", cart)
        if checkout and self._random.random() < 0.3:
            await self._pay_by_kafka(checkout, number)
        elif checkout:
            await self._pay(checkout, number)

    async def _pay(self, checkout: str, number: int) -> None:
        path = f"/v1/checkouts/{checkout}/complete"
        for attempt, token in enumerate([self._random.choice(TOKENS), "spt_123"]):
            key, body = f"p-{number}-{attempt}", _payment(token)
            headers = {"Idempotency-Key": key}
            response = await self._doors.patiently("POST", path, json=body, headers=headers)
            self._doors.ledger.counts["completes"] += 1
            if response is None or response.status_code not in (200, 402):
                told = f"{response.status_code} {response.text[:200]}" if response else "no answer"
                self._doors.ledger.violations.append(f"POST {path} with {token}: {told}")
                return
            self._doors.ledger.payments[key] = (checkout, response.status_code)
            if response.status_code == 200:
                self._doors.take_down("POST", path, key, response)
                return

    async def _pay_by_kafka(self, checkout: str, number: int) -> None:
        body, times = _payment(self._random.choice(TOKENS)), self._random.choice([1, 1, 2])
        for _ in range(times):
            await self._doors.publish("CompleteCheckout", checkout, f"pay-{number}", body)
        self._doors.ledger.counts["duplicates delivered"] += times - 1
        self._doors.ledger.counts["completes"] += 1


def _payment(token: str) -> dict[str, Any]:
    return {"payment_data": {"token": token, "provider": "stripe"}}
