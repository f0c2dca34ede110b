"""Both doors, for those who repeat what was not answered for good."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.faults.cluster import API_KEY, Cluster, ServiceProcess
from tests.faults.ledger import SOURCE, Ledger, version_of

PATIENCE = 90.0
"""Seconds for which a writer repeats a write that was not answered for good."""


class Doors:
    """Sends over Kafka and HTTP, and takes down in the ledger what was promised."""

    def __init__(
        self,
        cluster: Cluster,
        apis: Sequence[ServiceProcess],
        ledger: Ledger,
        chance: random.Random,
    ) -> None:
        self._cluster = cluster
        self._apis = apis
        self._random = chance
        self.ledger = ledger

    async def open(self) -> None:
        """Connect."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._cluster.kafka.bootstrap_servers,
            acks="all",
            request_timeout_ms=5_000,
        )
        await self._producer.start()
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=10,
            limits=httpx.Limits(max_connections=50),
        )

    async def close(self) -> None:
        """Let go of the connections."""
        await self._producer.stop()
        await self._http.aclose()

    async def publish(
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

    async def write(self, method: str, path: str, key: str, body: dict[str, Any]) -> str | None:
        """Write until there is a final answer; returns the checkout that was written."""
        headers = {"Idempotency-Key": key}
        response = await self.patiently(method, path, json=body, headers=headers)
        self.ledger.counts["http writes"] += 1
        if response is None:
            self.ledger.violations.append(f"{method} {path}: no answer in {PATIENCE:.0f} s")
            return None
        if response.status_code not in (200, 201, 202):
            told = f"{method} {path}: {response.status_code} {response.text[:200]}"
            self.ledger.violations.append(told)
            return None
        return self.take_down(method, path, key, response)

    def take_down(self, method: str, path: str, key: str, response: httpx.Response) -> str:
        """Note what an answer promises; returns the checkout."""
        checkout, version = str(response.json()["id"]), version_of(response)
        self.ledger.http_answers[method, path, key] = (checkout, response.status_code, version)
        if response.status_code != 202:
            self.ledger.promised[checkout] = max(self.ledger.promised[checkout], version)
        return checkout

    async def patiently(self, method: str, path: str, **request: Any) -> httpx.Response | None:
        """The first answer that is one, from whichever API process gives it."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
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


def _is_to_be_repeated(path: str, response: httpx.Response) -> bool:
    """Whether the same request is to be sent again, for an answer that is final."""
    if response.status_code == 503:
        return True
    if not path.endswith("/complete"):
        return False
    is_in_flight = response.status_code == 409 and "idempotency_in_flight" in response.text
    return response.status_code == 202 or is_in_flight
