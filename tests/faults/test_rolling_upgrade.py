"""Services of two builds run side by side under load, and the newer ones are taken away again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.kafka.topic_reader import bounds_of
from tests.faults.builds import Build
from tests.faults.cluster import API_KEY, Cluster, ServiceProcess
from tests.faults.later_build import LATER_BUILD
from tests.faults.load_run import find_service, under_load, wait_for_count, wait_until_ready
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import KafkaUser, kafka_user, new_id

NAMES = ("api", "commands", "relay", "projector", "payments")
GIFTS = 4
"""Checkouts with an event that only the later build knows."""


class Gifts:
    """Checkouts that the older build can't decide on, and commands on them over both channels."""

    def __init__(self, older: ServiceProcess, newer: ServiceProcess, kafka: KafkaUser) -> None:
        self._kafka = kafka
        bearer = {"Authorization": f"Bearer {API_KEY}"}
        self._older, self._newer = (
            httpx.AsyncClient(base_url=api.url, headers=bearer, timeout=15)
            for api in (older, newer)
        )
        self.ids = [f"gift-{new_id()}" for _ in range(GIFTS)]

    async def close(self) -> None:
        await self._older.aclose()
        await self._newer.aclose()

    async def record(self) -> None:
        """Create the checkouts over Kafka and record the later build's event over its API."""
        for checkout in self.ids:
            reply = await self._kafka.request("CreateCheckout", checkout, ONE_ITEM)
            assert "checkout" in reply, reply
            body = {"gift_message": "Happy birthday"}
            refused = await self._older.put(f"/v1/checkouts/{checkout}", json=body)
            assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
            recorded = await self._newer.put(f"/v1/checkouts/{checkout}", json=body)
            assert recorded.status_code == 200, recorded.text
            events = (await self._newer.get(f"/v1/checkouts/{checkout}/events")).json()["data"]
            assert events[-1]["type"] == "checkout.GiftMessageSet"

    async def are_shown_by(self, *clients: httpx.AsyncClient) -> None:
        for checkout in self.ids:
            answers = [await client.get(f"/v1/checkouts/{checkout}") for client in clients]
            assert {answer.status_code for answer in answers} == {200}
            assert len({answer.content for answer in answers}) == 1
            # Where the older build shows what it knows itself, that has a tag of its own.
            tags = {answer.headers["etag"].strip('"').partition("-")[0] for answer in answers}
            assert len(tags) == 1

    async def are_decided_by_the_newer_api_alone(self) -> None:
        """While both run, the older API refuses and the newer one accepts; both show the same."""
        await self.are_shown_by(self._older, self._newer)
        await self.are_refused_over_http("side by side")
        await self.are_accepted_over_http("side by side")
        await self.are_shown_by(self._older, self._newer)

    async def are_refused_over_http(self, key: str) -> None:
        for number, checkout in enumerate(self.ids):
            refused = await self._put(self._older, checkout, key, number)
            assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
            assert refused.headers["retry-after"]

    async def are_accepted_over_http(self, key: str) -> None:
        for number, checkout in enumerate(self.ids):
            accepted = await self._put(self._newer, checkout, key, number)
            assert accepted.status_code == 200, accepted.text
            assert "Idempotent-Replayed" not in accepted.headers

    async def answers_over_kafka(self, key: str, count: int) -> list[dict[str, Any]]:
        """Publish a command with the same identity on each again; returns its reply number `count`."""
        for number, checkout in enumerate(self.ids):
            body = _items(number)
            await self._kafka.publish("UpdateCheckout", checkout, body, f"{key} {checkout}")
        ids = [f"{key} {checkout}" for checkout in self.ids]
        found = await asyncio.gather(*(self._kafka.replies_to(each, count) for each in ids))
        return [replies[-1] for replies in found]

    async def are_refused_without_the_newer_build(self) -> None:
        await self.are_shown_by(self._older)
        await self.are_refused_over_http("later")
        for reply in await self.answers_over_kafka("later", 1):
            assert reply["error"]["code"] == "service_unavailable", reply

    async def are_accepted_with_the_same_identity(self) -> None:
        """As all command consumers are of the newer build, and remember no refusal of the older."""
        await self.are_accepted_over_http("later")
        for reply in await self.answers_over_kafka("later", 2):
            assert "checkout" in reply, reply

    async def _put(
        self, client: httpx.AsyncClient, checkout: str, key: str, number: int
    ) -> httpx.Response:
        headers = {"Idempotency-Key": f"{key} {checkout}"}
        return await client.put(f"/v1/checkouts/{checkout}", json=_items(number), headers=headers)


def _items(number: int) -> dict[str, Any]:
    return {"items": [{"id": "item_456", "quantity": number + 2}]}


@asynccontextmanager
async def gifts_on(
    cluster: Cluster, older: ServiceProcess, newer: ServiceProcess
) -> AsyncIterator[Gifts]:
    async with kafka_user(cluster.kafka.bootstrap_servers) as kafka:
        kafka.prefix = cluster.prefix
        gifts = Gifts(older, newer, kafka)
        try:
            yield gifts
        finally:
            await gifts.close()


async def start(services: Sequence[ServiceProcess]) -> None:
    for service in services:
        service.start()
    await wait_until_ready(*services)


async def stop(services: Sequence[ServiceProcess]) -> None:
    statuses = await asyncio.gather(*(asyncio.to_thread(each.stop, 15) for each in services))
    assert statuses == [0] * len(services)


@pytest.mark.parametrize("is_older_first", [True, False], ids=["older first", "newer first"])
async def test_two_builds_serve_side_by_side_and_the_newer_one_can_be_taken_away(
    on_servers: Cluster, tmp_path: Path, *, is_older_first: bool
):
    build = Build(tmp_path / "later", LATER_BUILD)
    older = [on_servers.prepare(name) for name in NAMES]
    newer = [on_servers.prepare(name, **build.environment) for name in NAMES]
    first, second = (older, newer) if is_older_first else (newer, older)
    await start(first)
    async with (
        under_load(on_servers, [*older, *newer], pause=0.1, buyers=2) as counts,
        gifts_on(on_servers, find_service(older, "api"), find_service(newer, "api")) as gifts,
    ):
        await wait_for_writes(counts)
        await start(second)
        assert all(build.runs_in(service) for service in newer)
        assert not any(build.runs_in(service) for service in older)
        await wait_for_writes(counts)
        await gifts.record()
        await gifts.are_decided_by_the_newer_api_alone()

        await stop(newer)
        await wait_for_writes(counts)
        await gifts.are_refused_without_the_newer_build()

        await start([find_service(newer, "api"), find_service(newer, "commands")])
        await stop([find_service(older, "commands")])
        await gifts.are_accepted_with_the_same_identity()
    connection = {"bootstrap_servers": on_servers.kafka.bootstrap_servers}
    letters = await bounds_of(connection, f"{on_servers.prefix}dead-letters")
    assert not any(end for _, end in letters.values())


async def wait_for_writes(counts: Any) -> None:
    for name in ("published", "http writes", "reads", "completes"):
        await wait_for_count(counts, name, by=2 if name == "completes" else 20, within=60)
