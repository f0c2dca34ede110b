"""An event of a later build in the store: it is published and shown, and holds nothing else up."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator

import pytest

from tests.eventually import eventually_async
from tests.system.dev_process import DevProcess
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import WAIT_SECONDS, header, kafka_user, new_id

TOPIC = "CheckoutTeleported:1"
DATA = {"to": "the moon", "way": {"stops": [1, 2]}, "nothing": None}


@pytest.fixture
def dev(tmp_path) -> Iterator[DevProcess]:
    """A system of its own: an audit of the shared one would meet these events."""
    process = DevProcess.start(tmp_path / "data")
    try:
        yield process
    finally:
        assert process.stop() == 0


def record_later_event(dev, checkout_id, version):
    """Record what only a later build can, as its process would."""
    metadata = {
        "door": "kafka",
        "actor": "/later",
        "command_source": "/later",
        "command_id": f"teleport {checkout_id}",
        "correlation_id": "visit-7",
        "api_version": "2027-01-01",
    }
    state = {"at": "2099-01-02T03:04:05+00:00", "data": DATA, "meta": metadata}
    connection = sqlite3.connect(dev.data / "events.db", timeout=10)
    with connection:
        connection.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state) "
            "VALUES (?, ?, ?, ?)",
            (checkout_id, version, TOPIC, json.dumps(state).encode()),
        )
    connection.close()


async def test_what_this_build_does_not_know_is_passed_on_and_waits(dev):
    known, begun = new_id(), new_id()
    async with dev.client() as http, kafka_user(dev.kafka) as kafka:
        await kafka.request("CreateCheckout", known, ONE_ITEM)
        before = await http.get(f"/v1/checkouts/{known}")
        record_later_event(dev, known, 4)
        record_later_event(dev, begun, 1)

        # The relay publishes both, as they are stored.
        published = [(await kafka.events_of(known, 4))[-1], (await kafka.events_of(begun, 1))[0]]
        for record in published:
            assert json.loads(record.value) == DATA
            assert header(record, "ce_type") == "checkout.CheckoutTeleported"
            assert header(record, "ce_dataschema") == f"urn:checkout:{TOPIC}"
            assert header(record, "ce_time") == "2099-01-02T03:04:05Z"
            assert header(record, "ce_causationsource") == "/later"
            assert header(record, "ce_apiversion") == "2027-01-01"

        # The projector moves on to the version, with what is known.
        async def is_shown() -> bool:
            shown = await http.get(f"/v1/checkouts/{known}")
            # The build that knows the event shows version 4 under another tag.
            tag = shown.headers["etag"]
            return (
                shown.json() == before.json() and re.fullmatch(r'"4-[0-9a-f]{16}"', tag) is not None
            )

        await eventually_async(is_shown)
        assert (await http.get(f"/v1/checkouts/{begun}")).status_code == 503
        events = (await http.get(f"/v1/checkouts/{known}/events")).json()["data"]
        assert [event["data"] for event in events[3:]] == [DATA]

        # Commands wait: over HTTP by 503, on Kafka by a reply, and the same identity may come again.
        for checkout_id in (known, begun):
            refused = await http.put(
                f"/v1/checkouts/{checkout_id}", json=ONE_ITEM, headers={"Idempotency-Key": "k"}
            )
            assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
            assert refused.headers["retry-after"] == "1"
            command_id = await kafka.publish("UpdateCheckout", checkout_id, ONE_ITEM)
            await kafka.publish("UpdateCheckout", checkout_id, ONE_ITEM, command_id)
            for reply in await kafka.replies_to(command_id, 2):
                assert reply["error"]["code"] == "service_unavailable"

        # No other checkout notices, whatever its partition.
        others = [new_id() for _ in range(8)]
        replies = await asyncio.gather(
            *(kafka.request("CreateCheckout", other, ONE_ITEM) for other in others)
        )
        assert [reply["version"] for reply in replies] == [3] * 8
        for other in others:
            assert len(await kafka.events_of(other, 3)) == 3
        async with asyncio.timeout(WAIT_SECONDS):
            assert (await http.get("/readyz")).status_code == 200
    connection = sqlite3.connect(dev.data / "events.db")
    assert connection.execute("SELECT count(*) FROM outcomes WHERE version = 0").fetchone() == (0,)
    connection.close()
