"""Simulated buyers: they complete checkouts and record each response in the ledger."""

from __future__ import annotations

import random
from typing import Any

from tests.faults.channels import Channels
from tests.faults.ledger import unique_items

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
"""Tokens of the test provider, with paid ones more frequent."""


class Buyer:
    """Creates checkouts and completes them over HTTP or Kafka."""

    def __init__(self, channels: Channels, random_source: random.Random) -> None:
        self._channels = channels
        self._random = random_source

    async def buy(self, number: int) -> None:
        """Complete one checkout: over HTTP until it is paid, or once over Kafka."""
        cart = {**unique_items(number), "fulfillment_address": ADDRESS}
        checkout = await self._channels.write("POST", "/v1/checkouts", f"b-{number}", cart)
        if checkout and self._random.random() < 0.3:
            await self._pay_by_kafka(checkout, number)
        elif checkout:
            await self._pay(checkout, number)

    async def _pay(self, checkout: str, number: int) -> None:
        path = f"/v1/checkouts/{checkout}/complete"
        for attempt, token in enumerate([self._random.choice(TOKENS), "spt_123"]):
            key, body = f"p-{number}-{attempt}", _payment(token)
            headers = {"Idempotency-Key": key}
            response = await self._channels.request_until_final(
                "POST", path, json=body, headers=headers
            )
            self._channels.ledger.counts["completes"] += 1
            if response is not None and response.status_code == 404:
                self._channels.ledger.absent.add(checkout)
                return
            if response is None or response.status_code not in (200, 402):
                response_text = (
                    f"{response.status_code} {response.text[:200]}" if response else "no answer"
                )
                self._channels.ledger.record_violation(f"POST {path} with {token}: {response_text}")
                return
            self._channels.ledger.payments[key] = (checkout, response.status_code)
            if response.status_code == 200:
                self._channels.record_answer("POST", path, key, response)
                return

    async def _pay_by_kafka(self, checkout: str, number: int) -> None:
        body, times = _payment(self._random.choice(TOKENS)), self._random.choice([1, 1, 2])
        for _ in range(times):
            await self._channels.publish("CompleteCheckout", checkout, f"pay-{number}", body)
        self._channels.ledger.counts["duplicates delivered"] += times - 1
        self._channels.ledger.counts["completes"] += 1


def _payment(token: str) -> dict[str, Any]:
    return {"payment_data": {"token": token, "provider": "stripe"}}
