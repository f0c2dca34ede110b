"""Sends commands over Kafka and HTTP and repeats them until there is a final answer."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from services.kafka.metadata_pause import pause_between_metadata_updates
from tests.faults.cluster import API_KEY, Cluster, ServiceProcess
from tests.faults.ledger import OWN_REPLIES, SOURCE, Ledger, reply_topic, seen_in

RETRY_SECONDS = 90.0
"""Seconds for which a writer repeats a write without a final answer."""


class Channels:
    """Sends over Kafka and HTTP, and records in the ledger what was promised."""

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
        """Create the topic for some of the replies, and connect to Kafka and HTTP."""
        await self._create_reply_topic()
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._cluster.kafka.bootstrap_servers,
            acks="all",
            request_timeout_ms=5_000,
        )
        pause_between_metadata_updates(self._producer.client)
        await self._producer.start()
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=10,
            limits=httpx.Limits(max_connections=50),
        )

    async def _create_reply_topic(self) -> None:
        """On the brokers of the default reply topic, so that the same faults reach both."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._cluster.kafka.bootstrap_servers)
        await admin.start()
        try:
            [default] = await admin.describe_topics([f"{self._cluster.prefix}replies"])
            brokers = {part["partition"]: part["replicas"] for part in default["partitions"]}
            topic = NewTopic(f"{self._cluster.prefix}{OWN_REPLIES}", -1, -1, brokers)
            await admin.create_topics([topic])
        finally:
            await admin.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._producer.stop()
        await self._http.aclose()

    async def publish(
        self, command_type: str, checkout: str, command_id: str, body: dict[str, Any]
    ) -> None:
        headers = {
            "ce_specversion": "1.0",
            "ce_id": command_id,
            "ce_source": SOURCE,
            "ce_type": f"checkout.{command_type}",
            "ce_subject": checkout,
        }
        if (topic := reply_topic(command_id)) == OWN_REPLIES:
            headers["reply-to"] = f"{self._cluster.prefix}{topic}"
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
        """Repeat a write until there is a final answer; returns the checkout's id."""
        headers = {"Idempotency-Key": key}
        response = await self.request_until_final(method, path, json=body, headers=headers)
        self.ledger.counts["http writes"] += 1
        if response is None:
            self.ledger.record_violation(f"{method} {path}: no answer in {RETRY_SECONDS:.0f} s")
            return None
        if response.status_code == 404:
            self.ledger.absent.add(checkout_in(path))
            return None
        if response.status_code not in (200, 201, 202):
            message = f"{method} {path}: {response.status_code} {response.text[:200]}"
            self.ledger.record_violation(message)
            return None
        return self.record_answer(method, path, key, response)

    def record_answer(self, method: str, path: str, key: str, response: httpx.Response) -> str:
        """Record what a response promises; returns the checkout's id."""
        checkout, seen = str(response.json()["id"]), seen_in(response)
        self.ledger.http_answers[method, path, key] = (checkout, response.status_code, seen[1])
        if response.status_code != 202:
            self.ledger.record_promise(checkout, seen)
        return checkout

    async def request_until_final(
        self, method: str, path: str, **request: Any
    ) -> httpx.Response | None:
        """The first final response from any API process, or None after `RETRY_SECONDS`."""
        deadline = asyncio.get_running_loop().time() + RETRY_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            api = self._random.choice(self._apis)
            try:
                response = await self._http.request(method, f"{api.url}{path}", **request)
            except httpx.HTTPError:
                self.ledger.counts["connections lost"] += 1
            else:
                if not _must_be_repeated(path, response):
                    if response.status_code in (200, 201):
                        self.ledger.record_content(response)
                    return response
                self.ledger.counts[str(response.status_code)] += 1
            await asyncio.sleep(0.1)
        return None


def checkout_in(path: str) -> str:
    """The checkout's id in the path of a request."""
    return path.split("/")[3]


def _must_be_repeated(path: str, response: httpx.Response) -> bool:
    """Whether the response is not final, so that the same request must be sent again."""
    if response.status_code == 503:
        return True
    if not path.endswith("/complete"):
        return False
    is_in_flight = response.status_code == 409 and "idempotency_in_flight" in response.text
    return response.status_code == 202 or is_in_flight
