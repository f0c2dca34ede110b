"""`checkout audit verify` on real servers reports tampering, and nothing else."""

from __future__ import annotations

import asyncio
import json

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from services.event_store import EventStore
from services.event_store.positions import RELAY
from services.kafka.topic_reader import records_of
from services.messages.event_messages import event_message
from tests.faults.audit_fixtures import EVENTS, IDS, audited, store, verify, violations
from tests.faults.cluster import Cluster
from tests.services.audit.given import Shop, change, remove

__all__ = ["audited", "store"]


def test_an_intact_store_has_no_violations(audited: Cluster):
    ended = verify(audited)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        f"{EVENTS} events of 12 checkouts, 12 views in Redis, {EVENTS} events on Kafka "
        "(0 wait for the relay): no violations\n"
    )
    summary = verify(audited, "--json", "--without-kafka", IDS[0], IDS[1])
    counts = {"checkouts": 2, "events": 26, "views": 2, "records": None, "waiting": 0}
    assert json.loads(summary.stdout) == {"verified": counts | {"violations": 0}}


def test_an_amount_changed_by_sql_is_reported(audited: Cluster, store: EventStore):
    checkout_id = IDS[0]
    change(store, audited.database, checkout_id, 8, "totals", 3, "amount", to=1)

    lines = violations(verify(audited, checkout_id))

    assert f"{checkout_id} version 8: the total is 1, and its parts come to 3750" in lines
    assert any("version 8: has another value on" in line for line in lines)
    assert any("the view in Redis differs from the store in $.totals" in line for line in lines)


def test_a_deleted_event_is_reported(audited: Cluster):
    checkout_id = IDS[1]
    remove(audited.database, checkout_id, 5)

    assert violations(verify(audited, checkout_id)) == [
        f"{checkout_id} version 6: follows version 4: 1 event is missing",
        f"{checkout_id} version 5: is on {audited.prefix}events, and not in the store",
    ]


def test_an_event_skipped_by_the_relay_is_reported_and_a_waiting_one_is_not(
    audited: Cluster, store: EventStore
):
    shop = Shop(store)
    shop.create("left_out")
    audited.run("views", "rebuild")

    waiting = verify(audited, "left_out")
    assert waiting.returncode == 0
    assert "(3 wait for the relay): no violations" in waiting.stdout

    store.advance(RELAY, store.newest())

    assert violations(verify(audited, "left_out")) == [
        f"left_out version {version}: is not on {audited.prefix}events, and the relay is past it"
        for version in (1, 2, 3)
    ]


async def test_foreign_records_on_the_events_topic_are_reported(
    audited: Cluster, store: EventStore
):
    topic = f"{audited.prefix}events"
    row = store.stream_rows(IDS[4], 3, 1, within=True)[0]
    forged = event_message(topic, row.event())
    unknown = event_message(topic, row.event())
    async with AIOKafkaProducer(bootstrap_servers=audited.kafka.bootstrap_servers) as producer:
        await producer.send_and_wait(topic, b"{}", key=forged.key, headers=forged.headers)
        headers = [(n, b"nobody" if n == "ce_subject" else v) for n, v in unknown.headers]
        await producer.send_and_wait(topic, unknown.value, key=b"nobody", headers=headers)
        await producer.send_and_wait(topic, b"?", key=b"nothing")

    of_one = violations(await asyncio.to_thread(verify, audited, IDS[4]))
    of_all = violations(await asyncio.to_thread(verify, audited))

    assert len(of_one) == 1
    assert of_one[0].startswith(f"{IDS[4]} version 4: has another value on {topic} ")
    assert f"nobody version 4: is on {topic}, and not in the store" in of_all
    assert any("is no event of a checkout" in line for line in of_all)


def test_an_unreachable_configured_server_is_a_failure(audited: Cluster):
    for variable in ("CHECKOUT_REDIS_URL", "CHECKOUT_KAFKA_BOOTSTRAP_SERVERS"):
        unreachable = "redis://127.0.0.1:1/0" if "REDIS" in variable else "127.0.0.1:1"
        ended = audited.run("audit", "verify", IDS[5], **{variable: unreachable})
        assert ended.returncode == 1
        assert ended.stderr.splitlines()[-1].startswith("checkout: ")
        assert "Traceback" not in ended.stderr


def test_an_unconfigured_server_is_reported_as_skipped(audited: Cluster):
    ended = audited.run(
        "audit", "verify", IDS[5], CHECKOUT_REDIS_URL="", CHECKOUT_KAFKA_BOOTSTRAP_SERVERS=""
    )
    assert ended.returncode == 0
    assert ended.stdout == "13 events of 1 checkouts: no violations\n"
    assert [line.split(" ")[0] for line in ended.stderr.splitlines()] == [
        "CHECKOUT_REDIS_URL",
        "CHECKOUT_KAFKA_BOOTSTRAP_SERVERS",
    ]


async def test_events_beyond_kafkas_retention_are_no_violation(audited: Cluster):
    topic, checkout_id = f"{audited.prefix}events", IDS[8]
    connection = {"bootstrap_servers": audited.kafka.bootstrap_servers}
    offsets = [
        (TopicPartition(topic, record.partition), record.offset)
        async for record in records_of(connection, topic)
        if record.key == checkout_id.encode()
    ]
    admin = AIOKafkaAdminClient(bootstrap_servers=audited.kafka.bootstrap_servers)
    await admin.start()
    try:
        for (partition, offset), kept in ((offsets[5], 8), (offsets[-1], 1)):
            await admin.delete_records({partition: RecordsToDelete(offset)})
            ended = await asyncio.to_thread(verify, audited, checkout_id)
            assert (ended.returncode, ended.stderr) == (0, "")
            assert f" {kept} events on Kafka (0 wait for the relay): no viol" in ended.stdout
    finally:
        await admin.close()
