"""`checkout dead-letters retry` publishes a command again; it is rejected if the checkout has changed."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import ConsumerRecord

from services.dev.system import DevSystem, dev_system
from tests.system.faulty_system import (
    Fault,
    binary_command,
    buyer_update,
    publish_dead_letter,
    retry_dead_letters,
    run_dead_letters,
)
from tests.system.kafka_records import ONE_ITEM, RawRecord, structured_command, structured_record
from tests.system.kafka_user import KafkaUser, header, kafka_user, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

CREATED = 3
"""The version of a checkout that was created with one item."""


@dataclass
class Scene:
    """A system with an injected bug, and a checkout on it."""

    system: DevSystem
    kafka: KafkaUser
    fault: Fault
    checkout_id: str

    async def publish_failing_update(self, **more: str | bytes | None) -> tuple[RawRecord, str]:
        """Publish an update that triggers the bug; returns it and the place of its dead letter."""
        raw = binary_command("UpdateCheckout", self.checkout_id, buyer_update(), **more)
        return raw, await publish_dead_letter(self.kafka, raw)

    async def update_items(self) -> None:
        items = {"items": [{"id": "item_123", "quantity": 2}]}
        await self.kafka.request("UpdateCheckout", self.checkout_id, items)

    async def sent_commands(
        self, matches: Callable[[ConsumerRecord], bool]
    ) -> list[ConsumerRecord]:
        """The first and the repeated record of a command, in order of their timestamps."""
        found = await self.kafka.records("checkout.commands", matches, 2)
        return sorted(found, key=lambda record: record.timestamp)

    async def retry(self, *arguments: object) -> tuple[int, list[Any]]:
        """Remove the bug, then retry; returns the exit status and the parsed lines."""
        self.fault.is_active = False
        return await retry_dead_letters(self.system, *arguments)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def faulty(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[DevSystem, KafkaUser, Fault]]:
    data = tmp_path_factory.mktemp("faulty")
    with pytest.MonkeyPatch.context() as monkeypatch:
        fault = Fault.inject(monkeypatch)
        async with dev_system(data) as system, kafka_user(system.kafka) as kafka:
            yield system, kafka, fault


@pytest_asyncio.fixture(loop_scope="module")
async def scene(faulty: tuple[DevSystem, KafkaUser, Fault]) -> Scene:
    system, kafka, fault = faulty
    fault.is_active = True
    checkout_id = new_id()
    await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)
    return Scene(system, kafka, fault, checkout_id)


async def test_a_retry_is_rejected_if_the_checkout_has_changed(scene: Scene):
    _, place = await scene.publish_failing_update()
    await scene.update_items()

    status, [result] = await scene.retry(place)

    assert status == 1
    assert result["type"] == "checkout.CommandRejected"
    assert result["data"]["error"]["code"] == "version_mismatch"


async def test_a_retry_with_anyway_is_accepted_though_the_checkout_has_changed(scene: Scene):
    _, place = await scene.publish_failing_update()
    await scene.update_items()

    status, [result] = await scene.retry(place, "--anyway")

    assert status == 0
    assert result["data"]["checkout"]["buyer"] == buyer_update()["buyer"]
    assert result["data"]["checkout"]["line_items"][0]["item"]["quantity"] == 2


async def test_a_retry_keeps_the_commands_own_expected_version(scene: Scene):
    _, place = await scene.publish_failing_update(ce_expectedversion=str(CREATED + 4))

    status, [result] = await scene.retry(place, "--anyway")

    assert status == 1
    assert f"not at {CREATED + 4}" in result["data"]["error"]["message"]


async def test_a_retried_create_creates_the_checkout(scene: Scene):
    raw = binary_command("CreateCheckout", new_id(), ONE_ITEM | buyer_update())
    place = await publish_dead_letter(scene.kafka, raw)

    status, [result] = await scene.retry(place)

    assert (status, result["data"]["version"]) == (0, 4)


async def test_dead_letters_of_one_checkout_are_retried_in_order(scene: Scene):
    for number in range(3):
        body = buyer_update(email=f"{number}@example.com")
        update = binary_command("UpdateCheckout", scene.checkout_id, body)
        await publish_dead_letter(scene.kafka, update)
    other = binary_command("CreateCheckout", new_id(), ONE_ITEM | buyer_update())
    await publish_dead_letter(scene.kafka, other)

    status, results = await scene.retry("--checkout", scene.checkout_id, "--reason", "internal")

    assert status == 0
    assert [result["data"]["version"] for result in results] == [4, 5, 6]
    assert results[-1]["data"]["checkout"]["buyer"]["email"] == "2@example.com"


async def test_a_second_retry_gets_the_first_reply_and_has_no_effect(scene: Scene):
    _, place = await scene.publish_failing_update()

    first, second = await scene.retry(place), await scene.retry(place)

    assert first == second
    assert first[0] == 0
    await scene.update_items()
    assert len(await scene.kafka.events_of(scene.checkout_id, CREATED + 3)) == CREATED + 3


async def test_a_retry_keeps_key_value_headers_and_reply_topic(scene: Scene):
    shop = "checkout.replies.shop"
    await scene.kafka.producer.partitions_for(shop)  # creates the topic
    headers = {"reply-to": shop, "ce_correlationid": "c 7", "x-odd": b"\xff"}
    raw, place = await scene.publish_failing_update(**headers)

    status, _ = await scene.retry(place)

    assert status == 0
    sent = await scene.sent_commands(lambda r: ("ce_id", raw.command_id.encode()) in r.headers)
    assert (sent[1].key, sent[1].value) == (raw.key, raw.value)
    expected = ("ce_expectedversion", str(CREATED).encode())
    assert list(sent[1].headers) == [*raw.headers, expected]
    [_, reply] = await scene.kafka.records(
        shop, lambda r: header(r, "ce_causationid") == raw.command_id, 2
    )
    assert header(reply, "ce_type") == "checkout.CommandAccepted"
    assert header(reply, "ce_correlationid") == "c 7"


async def test_a_retried_structured_event_carries_the_expected_version_in_its_json(scene: Scene):
    body = buyer_update(email="ñ@example.com")
    event = structured_command("UpdateCheckout", scene.checkout_id, new_id(), data=body)
    raw = structured_record(event, scene.checkout_id, event["id"])
    place = await publish_dead_letter(scene.kafka, raw)

    status, [result] = await scene.retry(place)

    assert status == 0
    assert result["data"]["checkout"]["buyer"] == body["buyer"]
    sent = await scene.sent_commands(lambda r: event["id"] in str(r.value))
    assert json.loads(sent[1].value) == event | {"expectedversion": CREATED}
    assert sent[1].headers == tuple(raw.headers)


async def test_retry_skips_what_cannot_be_answered_and_prints_the_reason(scene: Scene):
    bad = binary_command("CancelCheckout", scene.checkout_id, {}, ce_source=None)
    cut = replace(bad, value=b"v" * 900_000, headers=[*bad.headers, ("big", b"h" * 100_000)])
    places = [await publish_dead_letter(scene.kafka, raw) for raw in (bad, cut)]

    ended = await run_dead_letters(scene.system, "retry", *places, "3:999")

    assert ended.returncode == 1
    bad_line, cut_line, none_line = ended.stdout.splitlines()
    reason = "not published: it would only be put aside again: missing_attributes"
    assert bad_line == f"{places[0]}  {reason}"
    assert "dl_truncated" in cut_line
    assert none_line == "3:999  not published: there is no dead letter"


async def test_retry_stops_at_the_first_command_without_a_reply(scene: Scene):
    _, place = await scene.publish_failing_update()

    ended = await run_dead_letters(scene.system, "retry", place, "3:999", "--wait", "0")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"{place} was published, but no reply within 0 s" in ended.stderr
