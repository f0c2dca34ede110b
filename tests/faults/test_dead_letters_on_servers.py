"""`checkout dead-letters` against services on real servers.

Commands fail on a bug: the newest event of their checkout has a time that can't be shown in UTC,
until the test restores the row.
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

from tests.faults.cluster import API_KEY, Cluster, SharedServer, cluster_on
from tests.faults.load_run import find_service, start_services
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import KafkaUser, command_headers, header, kafka_user

pytestmark = pytest.mark.asyncio(loop_scope="module")

BUYER = {"buyer": {"first_name": "Ada", "last_name": "L", "email": "ada@example.com"}}
TWO = {"items": [{"id": "item_123", "quantity": 2}]}
CREATED = 3
"""The version of a checkout that was created with one item."""
UNCHANGED, CHANGED, FORCED = "unchanged", "changed", "forced"
FAILED = (UNCHANGED, CHANGED, FORCED)
UNREADABLE = "unreadable"


@dataclass
class Scene:
    """Healthy services, with one dead letter for each of `FAILED` and one for `UNREADABLE`."""

    cluster: Cluster
    kafka: KafkaUser
    api: str

    async def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `checkout dead-letters …`."""
        return await asyncio.to_thread(self.cluster.run, "dead-letters", *arguments)

    async def list_letters(self, *arguments: str) -> list[dict[str, Any]]:
        """The dead letters that `list --json` prints."""
        ended = await self.run("list", *arguments, "--json")
        assert ended.returncode == 0, ended.stderr
        return [json.loads(line) for line in ended.stdout.splitlines()]

    async def place(self, checkout_id: str) -> str:
        """Partition and offset of a checkout's dead letter, as the command line writes them."""
        [letter] = await self.list_letters("--checkout", checkout_id)
        return f"{letter['partition']}:{letter['offset']}"

    async def sent_commands(self, checkout_id: str) -> list[ConsumerRecord]:
        """The first and the repeated record of the command that failed."""
        command_id = update_id(checkout_id)
        return await self.kafka.records(
            f"{self.cluster.prefix}commands", lambda r: header(r, "ce_id") == command_id, 2
        )

    async def get_checkout(self, checkout_id: str) -> Any:
        """A checkout as GET shows it."""
        bearer = {"Authorization": f"Bearer {API_KEY}"}
        async with httpx.AsyncClient(base_url=self.api, headers=bearer, timeout=10) as http:
            return (await http.get(f"/v1/checkouts/{checkout_id}")).json()


def update_id(checkout_id: str) -> str:
    """The id of the command that fails."""
    return f"update-{checkout_id}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(kafka_bootstrap: str, postgres_url: str) -> AsyncIterator[Scene]:
    with cluster_on(SharedServer(kafka_bootstrap), SharedServer(postgres_url)) as servers:
        services = await start_services(servers)
        async with kafka_user(servers.kafka.bootstrap_servers) as kafka:
            kafka.prefix = servers.prefix
            await create_dead_letters(servers, kafka)
            yield Scene(servers, kafka, find_service(services, "api").url)


async def create_dead_letters(servers: Cluster, kafka: KafkaUser) -> None:
    """Make commands fail, restore the events, and then change some of the checkouts."""
    for checkout_id in FAILED:
        await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)
        await kafka.events_of(checkout_id, CREATED)
    with latest_events_out_of_range(servers.database, FAILED):
        for checkout_id in FAILED:
            failing = {"command_id": update_id(checkout_id), "ce_correlationid": "c 7"}
            reply = await kafka.request("UpdateCheckout", checkout_id, BUYER, **failing)
            assert reply["error"]["code"] == "internal"
    for checkout_id in (CHANGED, FORCED):
        await kafka.request("UpdateCheckout", checkout_id, TWO)
    await kafka.publish("UpdateCheckout", UNREADABLE, BUYER, ce_source=None)
    dead_letters = f"{servers.prefix}dead-letters"
    await kafka.records(dead_letters, lambda _: True, len((*FAILED, UNREADABLE)))


@contextmanager
def latest_events_out_of_range(database: str, checkout_ids: Sequence[str]) -> Iterator[None]:
    """Inside the block, the newest event of each checkout has a time that can't be shown in UTC."""
    rows = "WHERE originator_id = %s AND originator_version = %s"
    backups: list[tuple[bytes, str, int]] = []
    with psycopg.connect(database, autocommit=True) as admin:
        for checkout_id in checkout_ids:
            key = (checkout_id, CREATED)
            found = admin.execute(f"SELECT state FROM stored_events {rows}", key).fetchone()
            at_the_end = json.loads(found[0]) | {"at": "9999-12-31T23:59:59-12:00"}
            state = json.dumps(at_the_end).encode()
            backups.append((found[0], *key))
            admin.execute(f"UPDATE stored_events SET state = %s {rows}", (state, *key))
        yield
        for backup in backups:
            admin.execute(f"UPDATE stored_events SET state = %s {rows}", backup)


async def test_list_filters_by_reason_and_by_checkout(scene: Scene):
    ended = await scene.run("list", "--reason", "internal")
    internal, one = (
        await scene.list_letters("--reason", "internal"),
        await scene.list_letters("--checkout", CHANGED),
    )
    unreadable = await scene.list_letters("--reason", "missing_attributes")

    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) == len(FAILED)
    assert {letter["checkout"] for letter in internal} == {*FAILED}
    assert {letter["checkout_version"] for letter in internal} == {CREATED}
    assert [letter for letter in internal if letter["checkout"] == CHANGED] == one
    assert [letter["reason"] for letter in unreadable] == ["missing_attributes"]


async def test_show_prints_the_original_record(scene: Scene):
    place = await scene.place(UNCHANGED)

    text, as_json = await scene.run("show", place), await scene.run("show", place, "--json")

    lines = text.stdout.splitlines()
    for line in ("dl_reason: internal", f"key: {UNCHANGED}", f"ce_id: {update_id(UNCHANGED)}"):
        assert line in lines
    letter = json.loads(as_json.stdout)
    assert (letter["key"], json.loads(letter["value"])) == (UNCHANGED, BUYER)
    headers = command_headers("UpdateCheckout", UNCHANGED, update_id(UNCHANGED))
    expected = [*headers, ("ce_correlationid", b"c 7")]
    assert [(each["name"], each["value"].encode()) for each in letter["headers"]] == expected


async def test_a_retry_publishes_the_same_command_with_the_version_at_which_it_failed(scene: Scene):
    ended = await scene.run("retry", await scene.place(UNCHANGED))

    assert ended.returncode == 0, ended.stderr
    assert f"checkout.CommandAccepted  version {CREATED + 1}" in ended.stdout
    first, again = await scene.sent_commands(UNCHANGED)
    assert (again.key, again.value) == (first.key, first.value)
    expectation = ("ce_expectedversion", str(CREATED).encode())
    assert list(again.headers) == [*first.headers, expectation]
    assert (await scene.get_checkout(UNCHANGED))["buyer"] == BUYER["buyer"]


async def test_a_rejected_retry_stays_rejected(scene: Scene):
    place = await scene.place(CHANGED)

    rejected = await scene.run("retry", place)
    forced = await scene.run("retry", place, "--anyway")

    assert (rejected.returncode, forced.returncode) == (1, 1)
    assert "checkout.CommandRejected  version_mismatch" in rejected.stdout
    assert forced.stdout == rejected.stdout
    assert "buyer" not in await scene.get_checkout(CHANGED)


async def test_a_retry_with_anyway_expects_no_version_and_is_accepted(scene: Scene):
    ended = await scene.run("retry", await scene.place(FORCED), "--anyway")

    assert ended.returncode == 0, ended.stderr
    first, again = await scene.sent_commands(FORCED)
    assert (again.key, again.value, again.headers) == (first.key, first.value, first.headers)
    shown = await scene.get_checkout(FORCED)
    assert shown["buyer"] == BUYER["buyer"]
    assert shown["line_items"][0]["item"]["quantity"] == TWO["items"][0]["quantity"]


async def test_an_unreadable_record_is_not_published_again(scene: Scene):
    ended = await scene.run("retry", "--reason", "missing_attributes")

    assert ended.returncode == 1
    assert "not published: it would only be put aside again: missing_attributes" in ended.stdout
