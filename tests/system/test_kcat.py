"""kcat publishes commands and reads events and replies."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.servers.programs import find, missing
from tests.system.dev_process import DevProcess
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import WAIT_SECONDS, KafkaUser, new_id

SOURCE = "/shell"


class Kcat:
    """Runs kcat against one broker."""

    def __init__(self, program: str, bootstrap: str) -> None:
        self._program = program
        self._bootstrap = bootstrap

    async def run(self, *arguments: str, stdin: str = "") -> str:
        """Run kcat and return its output."""
        process = await asyncio.create_subprocess_exec(
            self._program,
            *("-q", "-b", self._bootstrap, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(WAIT_SECONDS):
            out, err = await process.communicate(stdin.encode())
        assert process.returncode == 0, err.decode()
        return out.decode()

    async def messages(self, topic: str) -> list[dict[str, Any]]:
        """All messages of a topic, with headers as an object and the payload parsed."""
        printed = await self.run("-C", "-t", topic, "-o", "beginning", "-e", "-J")
        messages = [json.loads(line) for line in printed.rstrip("\n").split("\n")]
        for message in messages:
            pairs = message["headers"]
            message["headers"] = dict(zip(pairs[::2], pairs[1::2], strict=True))
            message["payload"] = json.loads(message["payload"])
        return messages


@pytest.fixture
def kcat(dev: DevProcess) -> Kcat:
    program = find("kcat")
    if program is None:
        missing("kcat", "apt-get install kcat")
    return Kcat(str(program), dev.kafka)


def headers(command_type: str, checkout_id: str, command_id: str) -> list[str]:
    """The headers of a command as command-line options."""
    values = {
        "ce_specversion": "1.0",
        "ce_id": command_id,
        "ce_source": SOURCE,
        "ce_type": f"checkout.{command_type}",
        "ce_subject": checkout_id,
        "content-type": "application/json",
    }
    return [part for name, value in values.items() for part in ("-H", f"{name}={value}")]


async def test_a_command_with_the_key_as_an_option_is_accepted(
    kcat: Kcat, kafka: KafkaUser, http: httpx.AsyncClient
):
    checkout_id, command_id = new_id(), new_id()
    options = headers("CreateCheckout", checkout_id, command_id)

    await kcat.run(
        "-P", "-t", "checkout.commands", "-k", checkout_id, *options, stdin=json.dumps(ONE_ITEM)
    )

    [reply] = await kafka.replies_to(command_id)
    shown = await http.get(f"/v1/checkouts/{checkout_id}")
    assert reply["checkout"] == shown.json()


async def test_a_command_with_the_key_before_its_value_is_accepted(kcat: Kcat, kafka: KafkaUser):
    checkout_id, command_id = new_id(), new_id()
    options = headers("CreateCheckout", checkout_id, command_id)
    line = f"{checkout_id}|{json.dumps(ONE_ITEM)}\n"

    await kcat.run("-P", "-t", "checkout.commands", "-K", "|", *options, stdin=line)

    [reply] = await kafka.replies_to(command_id)
    assert reply["checkout_id"] == checkout_id
    assert reply["command_source"] == SOURCE


async def test_a_structured_command_is_accepted(kcat: Kcat, kafka: KafkaUser):
    checkout_id, command_id = new_id(), new_id()
    event = {
        "specversion": "1.0",
        "id": command_id,
        "source": SOURCE,
        "type": "checkout.CreateCheckout",
        "subject": checkout_id,
        "data": ONE_ITEM,
    }
    content_type = "content-type=application/cloudevents+json"

    arguments = ("-P", "-t", "checkout.commands", "-k", checkout_id, "-H", content_type)
    await kcat.run(*arguments, stdin=json.dumps(event))

    [reply] = await kafka.replies_to(command_id)
    assert reply["version"] == 3


async def test_a_cancel_command_with_a_null_value_is_accepted(kcat: Kcat, kafka: KafkaUser):
    checkout_id, command_id = new_id(), new_id()
    await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)
    options = headers("CancelCheckout", checkout_id, command_id)

    line = f"{checkout_id}|\n"
    await kcat.run("-P", "-t", "checkout.commands", "-Z", "-K", "|", *options, stdin=line)

    [reply] = await kafka.replies_to(command_id)
    assert reply["checkout"]["status"] == "canceled"


async def test_kcat_reads_events_with_keys_and_headers(kcat: Kcat, kafka: KafkaUser):
    checkout_id = new_id()
    created = await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)
    await kafka.events_of(checkout_id, created["version"])

    events = [m for m in await kcat.messages("checkout.events") if m["key"] == checkout_id]

    assert [event["headers"]["ce_id"] for event in events] == [
        f"{checkout_id}:{version}" for version in (1, 2, 3)
    ]
    assert [event["headers"]["ce_type"] for event in events] == [
        "checkout.CheckoutCreated",
        "checkout.ItemsUpdated",
        "checkout.CheckoutPriced",
    ]
    assert events[1]["payload"]["line_items"] == created["checkout"]["line_items"]


async def test_kcat_reads_replies_with_keys_and_headers(kcat: Kcat, kafka: KafkaUser):
    checkout_id = new_id()
    command_id = await kafka.publish("UpdateCheckout", checkout_id, ONE_ITEM)
    [expected] = await kafka.replies_to(command_id)

    [reply] = [m for m in await kcat.messages("checkout.replies") if m["key"] == checkout_id]

    assert reply["headers"]["ce_type"] == "checkout.CommandRejected"
    assert reply["headers"]["ce_causationid"] == command_id
    assert reply["payload"] == expected
    assert reply["payload"]["error"]["code"] == "not_found"
