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

from tests.faults.cluster import API_KEY, Cluster, ServiceProcess

SOURCE = "/faults/load"
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
    """The newest version of each checkout that a 200 or 201 told of."""
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
    ) -> None:
        self._cluster = cluster
        self._apis = apis
        self._random = random.Random(seed)
        self._pause = pause
        self._numbers = itertools.count(1)
        self._stopping = asyncio.Event()
        self._names = [f"c{seed}-{number}" for number in range(checkouts)]
        self._created: set[str] = set()
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
        self._tasks = [
            asyncio.create_task(self._publisher()),
            asyncio.create_task(self._http_writer()),
            asyncio.create_task(self._http_writer()),
            asyncio.create_task(self._reader()),
            asyncio.create_task(self._reader()),
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

    async def _publisher(self) -> None:
        """Another service: it repeats what Kafka did not acknowledge, with the same identity."""
        while not self._stopping.is_set():
            number = next(self._numbers)
            checkout = self._random.choice(self._names)
            command_id, kind = f"k-{number}", "UpdateCheckout"
            if checkout not in self._created:
                kind, command_id = "CreateCheckout", f"create-{checkout}"
                self._created.add(checkout)
            times = 2 if self._random.random() < 0.1 else 1
            for _ in range(times):
                await self._publish(kind, checkout, command_id, number)
            self.ledger.counts["duplicates delivered"] += times - 1
            await asyncio.sleep(self._pause)

    async def _publish(self, kind: str, checkout: str, command_id: str, number: int) -> None:
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
                    json.dumps(_items(number)).encode(),
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
            if self._random.random() < 0.1 or not self.ledger.promised:
                await self._write("POST", "/v1/checkouts", key, number)
            else:
                checkout = self._random.choice([*self.ledger.promised])
                await self._write("PUT", f"/v1/checkouts/{checkout}", key, number)
            await asyncio.sleep(self._pause)

    async def _write(self, method: str, path: str, key: str, number: int) -> None:
        response = await self._patiently(
            method, path, json=_items(number), headers={"Idempotency-Key": key}
        )
        self.ledger.counts["http writes"] += 1
        if response is None:
            self.ledger.violations.append(f"{method} {path}: no answer in {_PATIENCE:.0f} s")
            return
        if response.status_code in (200, 201, 202):
            checkout = response.json()["id"]
            version = int(response.headers["etag"].strip('"'))
            self.ledger.http_answers[method, path, key] = (checkout, response.status_code, version)
            if response.status_code != 202:
                promised = max(self.ledger.promised[checkout], version)
                self.ledger.promised[checkout] = promised
        else:
            told = f"{method} {path}: {response.status_code} {response.text[:200]}"
            self.ledger.violations.append(told)

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
                if response.status_code != 503:
                    return response
                self.ledger.counts["503"] += 1
            await asyncio.sleep(0.1)
        return None

    async def _reader(self) -> None:
        """Anybody: never an older version than one that was promised before, never a 404."""
        while not self._stopping.is_set():
            if self.ledger.promised:
                checkout, promised = self._random.choice([*self.ledger.promised.items()])
                response = await self._patiently("GET", f"/v1/checkouts/{checkout}")
                self.ledger.counts["reads"] += 1
                if response is None or response.status_code != 200:
                    told = response.status_code if response else "no answer"
                    self.ledger.violations.append(f"GET {checkout}: {told}")
                elif int(response.headers["etag"].strip('"')) < promised:
                    told = f"{response.headers['etag']} after {promised} was promised"
                    self.ledger.violations.append(f"GET {checkout}: {told}")
            await asyncio.sleep(self._pause)


def _items(number: int) -> dict[str, Any]:
    """Something that no other command of the load asks for."""
    first, second = number % 9_999 + 1, number // 9_999 + 1
    items = [{"id": "item_123", "quantity": first}, {"id": "item_456", "quantity": second}]
    return {"items": items}
