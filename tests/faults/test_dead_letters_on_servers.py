"""`checkout dead-letters` as an operator uses it, beside services on real servers.

Commands fail here because the newest event of their checkout can't be read, as if a newer build had
written it, until the row is mended.
"""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio
from aiokafka import ConsumerRecord

from tests.faults.cluster import API_KEY, Cluster, Shared, cluster_on
from tests.faults.running import of_kind, started
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import KafkaUser, command_headers, header, kafka_user

pytestmark = pytest.mark.asyncio(loop_scope="module")

BUYER = {"buyer": {"first_name": "Ada", "last_name": "L", "email": "ada@example.com"}}
TWO = {"items": [{"id": "item_123", "quantity": 2}]}
CREATED = 3
"""The version of a checkout that was created with one item."""
STOOD_STILL, MOVED_ON, TO_BE_FORCED = "stood-still", "moved-on", "to-be-forced"
FAILED = (STOOD_STILL, MOVED_ON, TO_BE_FORCED)
UNREADABLE = "unreadable"


@dataclass
class Scene:
    """Services whose fault is mended, and a dead letter for each of `FAILED`, and one more."""

    cluster: Cluster
    kafka: KafkaUser
    api: str

    async def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`checkout dead-letters …`."""
        return await asyncio.to_thread(self.cluster.run, "dead-letters", *arguments)

    async def listed(self, *arguments: str) -> list[dict[str, Any]]:
        """The dead letters of which `list --json` tells."""
        ended = await self.run("list", *arguments, "--json")
        assert ended.returncode == 0, ended.stderr
        return [json.loads(line) for line in ended.stdout.splitlines()]

    async def place(self, checkout_id: str) -> str:
        """Where the dead letter of a checkout is."""
        [letter] = await self.listed("--checkout", checkout_id)
        return f"{letter['partition']}:{letter['offset']}"

    async def sent(self, checkout_id: str) -> list[ConsumerRecord]:
        """The command that failed, as it was sent first and as it was sent again."""
        wanted = update_of(checkout_id)
        return await self.kafka.records(
            f"{self.cluster.prefix}commands", lambda r: header(r, "ce_id") == wanted, 2
        )

    async def shown(self, checkout_id: str) -> Any:
        """A checkout over HTTP."""
        bearer = {"Authorization": f"Bearer {API_KEY}"}
        async with httpx.AsyncClient(base_url=self.api, headers=bearer, timeout=10) as http:
            return (await http.get(f"/v1/checkouts/{checkout_id}")).json()


def update_of(checkout_id: str) -> str:
    """The id of the command that fails."""
    return f"update-{checkout_id}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(kafka_bootstrap: str, postgres_url: str) -> AsyncIterator[Scene]:
    with cluster_on(Shared(kafka_bootstrap), Shared(postgres_url)) as servers:
        services = await started(servers)
        async with kafka_user(servers.kafka.bootstrap_servers) as kafka:
            kafka.prefix = servers.prefix
            await put_aside(servers, kafka)
            yield Scene(servers, kafka, of_kind(services, "api").url)


async def put_aside(servers: Cluster, kafka: KafkaUser) -> None:
    """Have commands fail, mend what they failed of, and go on with some of the checkouts."""
    for checkout_id in FAILED:
        await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)
        await kafka.events_of(checkout_id, CREATED)
    with unreadable_events(servers.database, FAILED):
        for checkout_id in FAILED:
            failing = {"command_id": update_of(checkout_id), "ce_correlationid": "c 7"}
            reply = await kafka.request("UpdateCheckout", checkout_id, BUYER, **failing)
            assert reply["error"]["code"] == "internal"
    for checkout_id in (MOVED_ON, TO_BE_FORCED):
        await kafka.request("UpdateCheckout", checkout_id, TWO)
    await kafka.publish("UpdateCheckout", UNREADABLE, BUYER, ce_source=None)
    dead_letters = f"{servers.prefix}dead-letters"
    await kafka.records(dead_letters, lambda _: True, len((*FAILED, UNREADABLE)))


@contextmanager
def unreadable_events(database: str, checkout_ids: Sequence[str]) -> Iterator[None]:
    """Within the block, the newest event of each is of a kind that nobody here knows."""
    of_these = "WHERE originator_id = ANY(%s) AND originator_version = %s"
    these = (list(checkout_ids), CREATED)
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"UPDATE stored_events SET topic = topic || '.new' {of_these}", these)
        yield
        mended = "replace(topic, '.new', '')"
        admin.execute(f"UPDATE stored_events SET topic = {mended} {of_these}", these)


async def test_they_are_listed_by_reason_and_by_checkout(scene: Scene):
    ended = await scene.run("list", "--reason", "internal")
    internal, one = (
        await scene.listed("--reason", "internal"),
        await scene.listed("--checkout", MOVED_ON),
    )
    unreadable = await scene.listed("--reason", "missing_attributes")

    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) == len(FAILED)
    assert {letter["checkout"] for letter in internal} == {*FAILED}
    assert {letter["checkout_version"] for letter in internal} == {CREATED}
    assert [letter for letter in internal if letter["checkout"] == MOVED_ON] == one
    assert [letter["reason"] for letter in unreadable] == ["missing_attributes"]


async def test_one_is_shown_as_it_came(scene: Scene):
    place = await scene.place(STOOD_STILL)

    page, whole = await scene.run("show", place), await scene.run("show", place, "--json")

    lines = page.stdout.splitlines()
    for line in ("dl_reason: internal", f"key: {STOOD_STILL}", f"ce_id: {update_of(STOOD_STILL)}"):
        assert line in lines
    told = json.loads(whole.stdout)
    assert (told["key"], json.loads(told["value"])) == (STOOD_STILL, BUYER)
    came = command_headers("UpdateCheckout", STOOD_STILL, update_of(STOOD_STILL))
    expected = [*came, ("ce_correlationid", b"c 7")]
    assert [(each["name"], each["value"].encode()) for each in told["headers"]] == expected


async def test_a_retry_is_the_same_command_and_expects_the_version_at_which_it_failed(scene: Scene):
    ended = await scene.run("retry", await scene.place(STOOD_STILL))

    assert ended.returncode == 0, ended.stderr
    assert f"checkout.CommandAccepted  version {CREATED + 1}" in ended.stdout
    first, again = await scene.sent(STOOD_STILL)
    assert (again.key, again.value) == (first.key, first.value)
    expectation = ("ce_expectedversion", str(CREATED).encode())
    assert list(again.headers) == [*first.headers, expectation]
    assert (await scene.shown(STOOD_STILL))["buyer"] == BUYER["buyer"]


async def test_a_checkout_that_has_moved_on_refuses_it_for_good(scene: Scene):
    place = await scene.place(MOVED_ON)

    refused = await scene.run("retry", place)
    too_late = await scene.run("retry", place, "--anyway")

    assert (refused.returncode, too_late.returncode) == (1, 1)
    assert "checkout.CommandRejected  version_mismatch" in refused.stdout
    assert too_late.stdout == refused.stdout
    assert "buyer" not in await scene.shown(MOVED_ON)


async def test_anyway_it_expects_nothing_and_is_carried_out_on_one_that_has_moved_on(scene: Scene):
    ended = await scene.run("retry", await scene.place(TO_BE_FORCED), "--anyway")

    assert ended.returncode == 0, ended.stderr
    first, again = await scene.sent(TO_BE_FORCED)
    assert (again.key, again.value, again.headers) == (first.key, first.value, first.headers)
    shown = await scene.shown(TO_BE_FORCED)
    assert shown["buyer"] == BUYER["buyer"]
    assert shown["line_items"][0]["item"]["quantity"] == TWO["items"][0]["quantity"]


async def test_what_could_not_be_read_is_not_published_again(scene: Scene):
    ended = await scene.run("retry", "--reason", "missing_attributes")

    assert ended.returncode == 1
    assert "not published: it would only be put aside again: missing_attributes" in ended.stdout
