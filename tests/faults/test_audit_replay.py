"""`checkout audit replay` on a real Kafka: marks, filters, limits, stopping and resuming."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections import Counter

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.event_store import EventStore
from services.kafka.topic_reader import records_of
from services.messages.event_messages import event_message
from tests.faults.audit_fixtures import IDS, audited, store
from tests.faults.cluster import CHECKOUT, Cluster

__all__ = ["audited", "store"]


async def create_topic(audited: Cluster, name: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=audited.kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 3, 1)])
    finally:
        await admin.close()
    return name


def start_command(audited: Cluster, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [CHECKOUT, *arguments],
        env=audited.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


async def read_headers(audited: Cluster, topic: str) -> list[dict[str, bytes]]:
    connection = {"bootstrap_servers": audited.kafka.bootstrap_servers}
    return [dict(record.headers) async for record in records_of(connection, topic)]


async def test_a_replay_equals_the_original_events_plus_its_marks(
    audited: Cluster, store: EventStore
):
    topic = await create_topic(audited, "replay-of-one")

    ended = await asyncio.to_thread(
        audited.run, "audit", "replay", "--to", topic, "--checkout", IDS[6], "--json"
    )

    summary = json.loads(ended.stdout)
    assert (ended.returncode, summary["matched"], summary["published"]) == (0, 13, 13)
    assert summary["complete"]
    found = await read_headers(audited, topic)
    for headers, row in zip(found, store.stream_rows(IDS[6], 0, 20, within=True), strict=True):
        marks = {
            "ce_replayid": summary["replay_id"].encode(),
            "ce_replayposition": str(row.position).encode(),
        }
        assert headers == dict(event_message("", row.event()).headers) | marks


async def test_a_stopped_replay_resumes_without_loss_or_repeats(audited: Cluster):
    topic = await create_topic(audited, "replay-stopped")
    replay = ["audit", "replay", "--to", topic, "--json", "--type", "ItemsUpdated"]
    process = start_command(audited, *replay, "--rate", "5")

    async def has_records() -> bool:
        return bool(await read_headers(audited, topic))

    for _ in range(50):
        if await has_records():
            break
    process.send_signal(signal.SIGTERM)
    stdout, _ = await asyncio.to_thread(process.communicate, timeout=20)
    first = json.loads(stdout)
    assert (process.returncode, first["complete"]) == (1, False)
    assert 0 < first["published"] < 24

    resume = ["--from", str(first["position"]), "--replay-id", first["replay_id"]]
    second = json.loads((await asyncio.to_thread(audited.run, *replay, *resume)).stdout)

    found = Counter(headers["ce_id"] for headers in await read_headers(audited, topic))
    assert second["complete"]
    assert first["published"] + second["published"] == len(found) == sum(found.values())
    assert {headers["ce_type"] for headers in await read_headers(audited, topic)} == {
        b"checkout.ItemsUpdated"
    }


async def test_a_replay_supports_dry_run_time_range_and_limit(audited: Cluster, store: EventStore):
    topic = await create_topic(audited, "replay-counted")
    run = ["audit", "replay", "--to", topic, "--json", "--checkout", IDS[7]]
    hour = "2026-11-21T12"

    dry = json.loads((await asyncio.to_thread(audited.run, *run, "--dry-run")).stdout)
    times = ["--since", f"{hour}:02:00Z", "--until", f"{hour}:04:00Z"]
    timed = json.loads((await asyncio.to_thread(audited.run, *run, *times)).stdout)
    limited = json.loads((await asyncio.to_thread(audited.run, *run, "--limit", "5")).stdout)

    assert (dry["matched"], dry["published"], dry["to"]) == (13, 0, None)
    assert timed["published"] == 3
    assert (limited["published"], limited["complete"]) == (5, False)
    assert limited["position"] == store.stream_rows(IDS[7], 4, 1, within=True)[0].position
    assert len(await read_headers(audited, topic)) == 8


@pytest.mark.parametrize(
    "topic", ["events", "commands", "replies", "replies.shop", "dead-letters", "nowhere"]
)
def test_a_replay_rejects_the_services_topics_and_missing_topics(audited: Cluster, topic: str):
    for prefix in (audited.prefix, "checkout."):
        ended = audited.run("audit", "replay", "--to", f"{prefix}{topic}")
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "--to" in ended.stderr
