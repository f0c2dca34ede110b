"""`checkout dead-letters retry`: the same command again, refused by a checkout that has moved on."""

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
    buyer,
    command,
    dead_letters,
    put_aside,
    retried,
)
from tests.system.kafka_records import ONE_ITEM, Raw, as_structured, structured
from tests.system.kafka_user import KafkaUser, header, kafka_user, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

CREATED = 3
"""The version of a checkout that was created with one item."""


@dataclass
class Scene:
    """A faulty system with a checkout on it."""

    system: DevSystem
    kafka: KafkaUser
    fault: Fault
    checkout_id: str

    async def failed(self, **more: str | bytes | None) -> tuple[Raw, str]:
        """An update that our code stumbled over, and the place of its dead letter."""
        raw = command("UpdateCheckout", self.checkout_id, buyer(), **more)
        return raw, await put_aside(self.kafka, raw)

    async def moves_on(self) -> None:
        items = {"items": [{"id": "item_123", "quantity": 2}]}
        await self.kafka.ask("UpdateCheckout", self.checkout_id, items)

    async def sent(self, wanted: Callable[[ConsumerRecord], bool]) -> list[ConsumerRecord]:
        """A command as it was sent first, and as it was sent again."""
        found = await self.kafka.records("checkout.commands", wanted, 2)
        return sorted(found, key=lambda record: record.timestamp)

    async def retried(self, *arguments: object) -> tuple[int, list[Any]]:
        """The outcome of a retry once the fault is gone."""
        self.fault.is_there = False
        return await retried(self.system, *arguments)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def faulty(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[DevSystem, KafkaUser, Fault]]:
    data = tmp_path_factory.mktemp("faulty")
    with pytest.MonkeyPatch.context() as monkeypatch:
        fault = Fault.injected(monkeypatch)
        async with dev_system(data) as system, kafka_user(system.kafka) as kafka:
            yield system, kafka, fault


@pytest_asyncio.fixture(loop_scope="module")
async def scene(faulty: tuple[DevSystem, KafkaUser, Fault]) -> Scene:
    system, kafka, fault = faulty
    fault.is_there = True
    checkout_id = new_id()
    await kafka.ask("CreateCheckout", checkout_id, ONE_ITEM)
    return Scene(system, kafka, fault, checkout_id)


async def test_a_checkout_that_has_moved_on_refuses_it(scene: Scene):
    _, place = await scene.failed()
    await scene.moves_on()

    status, [result] = await scene.retried(place)

    assert status == 1
    assert result["type"] == "checkout.CommandRejected"
    assert result["data"]["error"]["code"] == "version_mismatch"


async def test_anyway_it_is_carried_out_on_a_checkout_that_has_moved_on(scene: Scene):
    _, place = await scene.failed()
    await scene.moves_on()

    status, [result] = await scene.retried(place, "--anyway")

    assert status == 0
    assert result["data"]["checkout"]["buyer"] == buyer()["buyer"]
    assert result["data"]["checkout"]["line_items"][0]["item"]["quantity"] == 2


async def test_an_expectation_of_its_own_is_kept_as_it_came(scene: Scene):
    _, place = await scene.failed(ce_expectedversion=str(CREATED + 4))

    status, [result] = await scene.retried(place, "--anyway")

    assert status == 1
    assert f"not at {CREATED + 4}" in result["data"]["error"]["message"]


async def test_what_failed_on_a_checkout_that_was_not_there_creates_it(scene: Scene):
    raw = command("CreateCheckout", new_id(), ONE_ITEM | buyer())
    place = await put_aside(scene.kafka, raw)

    status, [result] = await scene.retried(place)

    assert (status, result["data"]["version"]) == (0, 4)


async def test_several_of_one_checkout_are_carried_out_in_the_order_they_came(scene: Scene):
    for number in range(3):
        body = buyer(email=f"{number}@example.com")
        await put_aside(scene.kafka, command("UpdateCheckout", scene.checkout_id, body))
    await put_aside(scene.kafka, command("CreateCheckout", new_id(), ONE_ITEM | buyer()))

    status, results = await scene.retried("--checkout", scene.checkout_id, "--reason", "internal")

    assert status == 0
    assert [result["data"]["version"] for result in results] == [4, 5, 6]
    assert results[-1]["data"]["checkout"]["buyer"]["email"] == "2@example.com"


async def test_a_retry_again_gets_the_first_reply_again_and_does_nothing_twice(scene: Scene):
    _, place = await scene.failed()

    first, second = await scene.retried(place), await scene.retried(place)

    assert first == second
    assert first[0] == 0
    await scene.moves_on()
    assert len(await scene.kafka.events_of(scene.checkout_id, CREATED + 3)) == CREATED + 3


async def test_it_comes_as_it_came_and_is_answered_where_it_asked_for(scene: Scene):
    shop = "checkout.replies.shop"
    await scene.kafka.producer.partitions_for(shop)  # makes it
    asked = {"reply-to": shop, "ce_correlationid": "c 7", "x-odd": b"\xff"}
    raw, place = await scene.failed(**asked)

    status, _ = await scene.retried(place)

    assert status == 0
    sent = await scene.sent(lambda r: ("ce_id", raw.command_id.encode()) in r.headers)
    assert (sent[1].key, sent[1].value) == (raw.key, raw.value)
    expected = ("ce_expectedversion", str(CREATED).encode())
    assert list(sent[1].headers) == [*raw.headers, expected]
    [_, reply] = await scene.kafka.records(
        shop, lambda r: header(r, "ce_causationid") == raw.command_id, 2
    )
    assert header(reply, "ce_type") == "checkout.CommandAccepted"
    assert header(reply, "ce_correlationid") == "c 7"


async def test_a_structured_event_is_told_the_version_in_its_json(scene: Scene):
    body = buyer(email="ñ@example.com")
    event = structured("UpdateCheckout", scene.checkout_id, new_id(), data=body)
    raw = as_structured(event, scene.checkout_id, event["id"])
    place = await put_aside(scene.kafka, raw)

    status, [result] = await scene.retried(place)

    assert status == 0
    assert result["data"]["checkout"]["buyer"] == body["buyer"]
    sent = await scene.sent(lambda r: event["id"] in str(r.value))
    assert json.loads(sent[1].value) == event | {"expectedversion": CREATED}
    assert sent[1].headers == tuple(raw.headers)


async def test_what_can_not_be_answered_is_not_published_and_the_reason_told(scene: Scene):
    bad = command("CancelCheckout", scene.checkout_id, {}, ce_source=None)
    cut = replace(bad, value=b"v" * 900_000, headers=[*bad.headers, ("big", b"h" * 100_000)])
    places = [await put_aside(scene.kafka, raw) for raw in (bad, cut)]

    ended = await dead_letters(scene.system, "retry", *places, "3:999")

    assert ended.returncode == 1
    bad_line, cut_line, none_line = ended.stdout.splitlines()
    told = "not published: it would only be put aside again: missing_attributes"
    assert bad_line == f"{places[0]}  {told}"
    assert "dl_truncated" in cut_line
    assert none_line == "3:999  not published: there is no dead letter"


async def test_it_ends_at_the_first_that_nobody_answers(scene: Scene):
    _, place = await scene.failed()

    ended = await dead_letters(scene.system, "retry", place, "3:999", "--wait", "0")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"{place} was published, but no reply within 0 s" in ended.stderr
