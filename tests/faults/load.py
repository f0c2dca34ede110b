"""A steady load of commands with known ids over both doors, and readers who know what was promised."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.eventually import eventually_async
from tests.faults.cluster import API_KEY, Cluster, ServiceProcess

SOURCE = "/faults/load"
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
_PATIENCE = 90.0
"""Seconds for which a writer repeats a write that was not answered for good."""


@dataclass
class Ledger:
    """What was sent, what was promised, and what readers saw that breaks a promise."""

    published: dict[str, str] = field(default_factory=dict)
    """Commands that Kafka acknowledged: id to checkout."""
    http_answers: dict[tuple[str, str, str], tuple[str, int, int]] = field(default_factory=dict)
    """By method, path and idempotency key: checkout, status and version."""
    promised: Counter[str] = field(default_factory=Counter)
    """The newest version of each checkout that was shown first, or that a 200 or 201 told of."""
    payments: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By idempotency key of a complete: checkout, and the status of its final answer."""
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Load:
    """Writers and readers on `checkouts` checkouts, until told to stop."""

    def __init__(
        self,
        cluster: Cluster,
        apis: Sequence[ServiceProcess],
        seed: int = 0,
        checkouts: int = 20,
        pause: float = 0.02,
        buyers: int = 0,
    ) -> None:
        self._cluster = cluster
        self._buyers = buyers
        self._apis = apis
        self._random = random.Random(seed)
        self._pause = pause
        self._numbers = itertools.count(1)
        self._stopping = asyncio.Event()
        self._names = [f"c{seed}-{number}" for number in range(checkouts)]
        self._carts: list[str] = []
        self.ledger = Ledger()

    async def __aenter__(self) -> Load:
        """Begin; return when every checkout is there."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._cluster.kafka.bootstrap_servers,
            acks="all",
            request_timeout_ms=5_000,
        )
        await self._producer.start()
        limits = httpx.Limits(max_connections=50)
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {API_KEY}"}, timeout=10, limits=limits
        )
        await asyncio.gather(*map(self._create, self._names))
        self._tasks = [
            asyncio.create_task(self._publisher()),
            asyncio.create_task(self._http_writer()),
            asyncio.create_task(self._http_writer()),
            asyncio.create_task(self._reader()),
            asyncio.create_task(self._reader()),
            *(asyncio.create_task(self._buyer()) for _ in range(self._buyers)),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop, after what is in hand is answered."""
        self._stopping.set()
        try:
            results = await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            await self._producer.stop()
            await self._http.aclose()
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _create(self, checkout: str) -> None:
        """Make one of the checkouts that everybody writes, and wait until it can be read."""
        items = _items(next(self._numbers))
        await self._publish("CreateCheckout", checkout, f"create-{checkout}", items)

        async def is_there() -> bool:
            response = await self._patiently("GET", f"/v1/checkouts/{checkout}")
            if response is None or response.status_code != 200:
                return False
            self.ledger.promised[checkout] = _version(response)
            return True

        await eventually_async(is_there, _PATIENCE)

    async def _publisher(self) -> None:
        """Another service: it repeats what Kafka did not acknowledge, with the same identity."""
        while not self._stopping.is_set():
            number = next(self._numbers)
            checkout = self._random.choice(self._names)
            times = 2 if self._random.random() < 0.1 else 1
            for _ in range(times):
                await self._publish("UpdateCheckout", checkout, f"k-{number}", _items(number))
            self.ledger.counts["duplicates delivered"] += times - 1
            await asyncio.sleep(self._pause)

    async def _publish(
        self, kind: str, checkout: str, command_id: str, body: dict[str, Any]
    ) -> None:
        headers = {
            "ce_specversion": "1.0",
            "ce_id": command_id,
            "ce_source": SOURCE,
            "ce_type": f"checkout.{kind}",
            "ce_subject": checkout,
        }
        encoded = [(name, value.encode()) for name, value in headers.items()]
        while True:
            self.ledger.counts["published"] += 1
            try:
                await self._producer.send_and_wait(
                    f"{self._cluster.prefix}commands",
                    json.dumps(body).encode(),
                    key=checkout.encode(),
                    headers=encoded,
                )
            except KafkaError:
                await asyncio.sleep(0.2)
            else:
                self.ledger.published[command_id] = checkout
                return

    async def _http_writer(self) -> None:
        """A storefront: it repeats an unknown outcome with the same Idempotency-Key."""
        while not self._stopping.is_set():
            number = next(self._numbers)
            key = f"h-{number}"
            if self._random.random() < 0.1:
                cart = await self._write("POST", "/v1/checkouts", key, _items(number))
                self._carts += [cart] if cart else []
            else:
                # Mostly those that the publisher writes over Kafka at the same time.
                is_own = self._carts and self._random.random() < 0.2
                checkout = self._random.choice(self._carts if is_own else self._names)
                await self._write("PUT", f"/v1/checkouts/{checkout}", key, _items(number))
            await asyncio.sleep(self._pause)

    async def _write(self, method: str, path: str, key: str, body: dict[str, Any]) -> str | None:
        """Write until there is a final answer; returns the checkout that was written."""
        headers = {"Idempotency-Key": key}
        response = await self._patiently(method, path, json=body, headers=headers)
        self.ledger.counts["http writes"] += 1
        if response is None:
            self.ledger.violations.append(f"{method} {path}: no answer in {_PATIENCE:.0f} s")
            return None
        if response.status_code == 402:
            return None
        if response.status_code not in (200, 201, 202):
            told = f"{method} {path}: {response.status_code} {response.text[:200]}"
            self.ledger.violations.append(told)
            return None
        checkout = str(response.json()["id"])
        version = _version(response)
        self.ledger.http_answers[method, path, key] = (checkout, response.status_code, version)
        if response.status_code != 202:
            self.ledger.promised[checkout] = max(self.ledger.promised[checkout], version)
        return checkout

    async def _buyer(self) -> None:
        """Fills a cart, and pays for it until the payment is taken, over either door."""
        while not self._stopping.is_set():
            number = next(self._numbers)
            cart = {**_items(number), "fulfillment_address": ADDRESS}
            checkout = await self._write("POST", "/v1/checkouts", f"b-{number}", cart)
            if checkout and self._random.random() < 0.3:
                await self._pay_by_kafka(checkout, number)
            elif checkout:
                await self._pay(checkout, number)
            await asyncio.sleep(self._pause)

    async def _pay(self, checkout: str, number: int) -> None:
        path = f"/v1/checkouts/{checkout}/complete"
        for attempt, token in enumerate([self._random.choice(TOKENS), "spt_123"]):
            key, body = f"p-{number}-{attempt}", _payment(token)
            headers = {"Idempotency-Key": key}
            response = await self._patiently("POST", path, json=body, headers=headers)
            self.ledger.counts["completes"] += 1
            if response is None or response.status_code not in (200, 402):
                told = f"{response.status_code} {response.text[:200]}" if response else "no answer"
                self.ledger.violations.append(f"POST {path} with {token}: {told}")
                return
            self.ledger.payments[key] = (checkout, response.status_code)
            if response.status_code == 200:
                version = _version(response)
                self.ledger.http_answers["POST", path, key] = (checkout, 200, version)
                self.ledger.promised[checkout] = max(self.ledger.promised[checkout], version)
                return

    async def _pay_by_kafka(self, checkout: str, number: int) -> None:
        body, times = _payment(self._random.choice(TOKENS)), self._random.choice([1, 1, 2])
        for _ in range(times):
            await self._publish("CompleteCheckout", checkout, f"pay-{number}", body)
        self.ledger.counts["duplicates delivered"] += times - 1
        self.ledger.counts["completes"] += 1

    async def _patiently(self, method: str, path: str, **request: Any) -> httpx.Response | None:
        """The first answer that is one, from whichever API process gives it."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            api = self._random.choice(self._apis)
            try:
                response = await self._http.request(method, f"{api.url}{path}", **request)
            except httpx.HTTPError:
                self.ledger.counts["connections lost"] += 1
            else:
                if not _is_to_be_repeated(path, response):
                    return response
                self.ledger.counts[str(response.status_code)] += 1
            await asyncio.sleep(0.1)
        return None

    async def _reader(self) -> None:
        """Anybody: never an older version than one that was promised before, never a 404."""
        while not self._stopping.is_set():
            checkout, promised = self._random.choice([*self.ledger.promised.items()])
            response = await self._patiently("GET", f"/v1/checkouts/{checkout}")
            self.ledger.counts["reads"] += 1
            if response is None or response.status_code != 200:
                told = response.status_code if response else "no answer"
                self.ledger.violations.append(f"GET {checkout}: {told}")
            elif _version(response) < promised:
                told = f"{response.headers['etag']} after {promised} was promised"
                self.ledger.violations.append(f"GET {checkout}: {told}")
            await asyncio.sleep(self._pause)


def _version(response: httpx.Response) -> int:
    return int(response.headers["etag"].strip('"'))


def _items(number: int) -> dict[str, Any]:
    """Something that no other command of the load asks for."""
    first, second = number % 9_999 + 1, number // 9_999 + 1
    items = [{"id": "item_123", "quantity": first}, {"id": "item_456", "quantity": second}]
    return {"items": items}


def _payment(token: str) -> dict[str, Any]:
    return {"payment_data": {"token": token, "provider": "stripe"}}


def _is_to_be_repeated(path: str, response: httpx.Response) -> bool:
    """Whether the same request is to be sent again, for an answer that is final."""
    if response.status_code == 503:
        return True
    if not path.endswith("/complete"):
        return False
    is_in_flight = response.status_code == 409 and "idempotency_in_flight" in response.text
    return response.status_code == 202 or is_in_flight
