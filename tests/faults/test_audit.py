"""`checkout audit verify` and `replay`, and `checkout views`, on real servers: what other hands have done to
the store, to Redis or to Kafka is found, and what is as it should be is passed over in silence.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis import Redis

from services.kafka.events import event_message
from services.kafka.whole_topic import records_of
from services.store import EventStore, open_store
from services.store.positions import RELAY
from tests.eventually import eventually
from tests.faults.cluster import CHECKOUT, Cluster, cluster
from tests.services.audit.given import Shop, change, remove, whole_life

IDS = [f"checkout_{number}" for number in range(12)]
EVENTS = 13 * len(IDS)


@pytest.fixture(scope="module")
def audited() -> Iterator[Cluster]:
    """Checkouts that the relay and the projector have taken along, after which both have ended."""
    with cluster() as made:
        store = open_store(made.database)
        for checkout_id in IDS:
            whole_life(Shop(store), checkout_id)
        services = [made.add("relay"), made.add("projector")]
        eventually(lambda: store.position(RELAY) == store.newest(), within=60)
        eventually(lambda: made.run("views", "check").returncode == 0, within=60)
        for service in services:
            service.stop()
        store.close()
        yield made


@pytest.fixture
def store(audited: Cluster) -> Iterator[EventStore]:
    opened = open_store(audited.database)
    yield opened
    opened.close()


@pytest.fixture
def redis(audited: Cluster) -> Iterator[Redis]:
    with Redis.from_url(audited.redis.url) as client:
        yield client


def verify(audited: Cluster, *arguments: str) -> CompletedProcess[str]:
    return audited.run("audit", "verify", *arguments)


def violations(ended: CompletedProcess[str]) -> list[str]:
    """The lines of a verification that failed, without its last one."""
    assert (ended.returncode, ended.stderr) == (1, "")
    *lines, last = ended.stdout.splitlines()
    assert last.endswith(f": {len(lines)} violations")
    return lines


def test_an_untouched_store_is_verified_in_silence(audited: Cluster):
    ended = verify(audited)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        f"{EVENTS} events of 12 checkouts, 12 views in Redis, {EVENTS} events on Kafka "
        "(0 wait for the relay): no violations\n"
    )
    told = verify(audited, "--json", "--without-kafka", IDS[0], IDS[1])
    counts = {"checkouts": 2, "events": 26, "views": 2, "records": None, "waiting": 0}
    assert json.loads(told.stdout) == {"verified": counts | {"violations": 0}}


def test_an_amount_that_sql_has_changed_is_found(audited: Cluster, store: EventStore):
    checkout_id = IDS[0]
    change(store, audited.database, checkout_id, 8, "totals", 3, "amount", to=1)

    lines = violations(verify(audited, checkout_id))

    assert f"{checkout_id} version 8: the total is 1, and its parts come to 3750" in lines
    assert any("version 8: has another value on" in line for line in lines)
    assert any("the view in Redis differs from the store in $.totals" in line for line in lines)


def test_an_event_that_was_deleted_from_the_middle_is_found(audited: Cluster):
    checkout_id = IDS[1]
    remove(audited.database, checkout_id, 5)

    assert violations(verify(audited, checkout_id)) == [
        f"{checkout_id} version 6: follows version 4: 1 event is missing",
        f"{checkout_id} version 5: is on {audited.prefix}events, and not in the store",
    ]


def test_a_view_that_was_altered_in_redis_is_found_and_rebuilt(audited: Cluster, redis: Redis):
    checkout_id, key = IDS[2], f"checkout:view:{IDS[2]}"
    view = redis.get(key)
    redis.set(key, view.replace(b'"amount":3750', b'"amount":1'))
    wrong = f"{checkout_id} version 13: the view in Redis differs from the store in "

    [line] = violations(verify(audited, checkout_id))
    assert line.startswith(wrong)
    checked = audited.run("views", "check")
    assert checked.returncode == 1
    assert wrong in checked.stdout

    audited.run("views", "rebuild")

    assert redis.get(key) == view
    assert verify(audited, checkout_id).returncode == 0


@pytest.mark.parametrize("told", ["older", "newer", "none", "no JSON"])
def test_views_that_are_old_or_ahead_or_gone_are_found_and_rebuilt(
    audited: Cluster, redis: Redis, told: str
):
    checkout_id, key = IDS[3], f"checkout:view:{IDS[3]}"
    view = redis.get(key)
    head, body = view.split(b"\n", 1)
    stored = {
        "older": (head.replace(b"13 ", b"12 ", 1) + b"\n" + body, "12, and the store has 13"),
        "newer": (head.replace(b"13 ", b"99 ", 1) + b"\n" + body, "99, which the store does not"),
        "none": (None, "has no view in Redis"),
        "no JSON": (head + b"\n{", "is no JSON"),
    }
    altered, words = stored[told]
    redis.delete(key) if altered is None else redis.set(key, altered)

    [line] = violations(verify(audited, checkout_id))
    assert words in line

    audited.run("views", "rebuild")
    assert redis.get(key) == view


def test_a_view_of_no_checkout_is_found_and_removed(audited: Cluster, redis: Redis):
    redis.set("checkout:view:stranger", redis.get(f"checkout:view:{IDS[3]}"))

    lines = audited.run("views", "check").stdout.splitlines()
    assert any(line.startswith("stranger version 13: there is a view") for line in lines)

    audited.run("views", "rebuild")
    assert not redis.exists("checkout:view:stranger")


def test_views_that_were_not_built_here_are_no_silence_and_can_be_built(
    audited: Cluster, redis: Redis
):
    redis.flushall()

    told = audited.run("views", "check")
    assert told.returncode == 1
    assert "not complete" in told.stdout

    audited.run("views", "rebuild")
    assert verify(audited, *IDS[2:]).returncode == 0


def test_an_event_that_the_relay_left_out_is_found_and_one_that_it_has_not_come_to_is_none(
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


async def test_what_somebody_else_wrote_to_the_events_topic_is_found(
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


def test_what_is_configured_and_out_of_reach_is_a_failure(audited: Cluster):
    for variable in ("CHECKOUT_REDIS_URL", "CHECKOUT_KAFKA_BOOTSTRAP_SERVERS"):
        nowhere = "redis://127.0.0.1:1/0" if "REDIS" in variable else "127.0.0.1:1"
        ended = audited.run("audit", "verify", IDS[5], **{variable: nowhere})
        assert ended.returncode == 1
        assert ended.stderr.splitlines()[-1].startswith("checkout: ")
        assert "Traceback" not in ended.stderr


def test_what_is_not_configured_is_said_to_be_left_out(audited: Cluster):
    ended = audited.run(
        "audit", "verify", IDS[5], CHECKOUT_REDIS_URL="", CHECKOUT_KAFKA_BOOTSTRAP_SERVERS=""
    )
    assert ended.returncode == 0
    assert ended.stdout == "13 events of 1 checkouts: no violations\n"
    assert [line.split(" ")[0] for line in ended.stderr.splitlines()] == [
        "CHECKOUT_REDIS_URL",
        "CHECKOUT_KAFKA_BOOTSTRAP_SERVERS",
    ]


async def topic_of(audited: Cluster, name: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=audited.kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 3, 1)])
    finally:
        await admin.close()
    return name


def begun(audited: Cluster, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [CHECKOUT, *arguments],
        env=audited.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


async def replayed(audited: Cluster, topic: str) -> list[dict[str, bytes]]:
    connection = {"bootstrap_servers": audited.kafka.bootstrap_servers}
    return [dict(record.headers) async for record in records_of(connection, topic)]


async def test_a_replay_is_marked_and_as_the_events_were(audited: Cluster, store: EventStore):
    topic = await topic_of(audited, "replay-of-one")

    ended = await asyncio.to_thread(
        audited.run, "audit", "replay", "--to", topic, "--checkout", IDS[6], "--json"
    )

    summary = json.loads(ended.stdout)
    assert (ended.returncode, summary["matched"], summary["published"]) == (0, 13, 13)
    assert summary["complete"]
    found = await replayed(audited, topic)
    for headers, row in zip(found, store.stream_rows(IDS[6], 0, 20, within=True), strict=True):
        marks = {
            "ce_replayid": summary["replay_id"].encode(),
            "ce_replayposition": str(row.position).encode(),
        }
        assert headers == dict(event_message("", row.event()).headers) | marks


async def test_a_replay_that_is_stopped_goes_on_without_a_loss_or_a_repeat(audited: Cluster):
    topic = await topic_of(audited, "replay-stopped")
    replay = ["audit", "replay", "--to", topic, "--json", "--type", "ItemsUpdated"]
    process = begun(audited, *replay, "--rate", "5")

    async def has_some() -> bool:
        return bool(await replayed(audited, topic))

    for _ in range(50):
        if await has_some():
            break
    process.send_signal(signal.SIGTERM)
    stdout, _ = await asyncio.to_thread(process.communicate, timeout=20)
    first = json.loads(stdout)
    assert (process.returncode, first["complete"]) == (1, False)
    assert 0 < first["published"] < 24

    going_on = ["--from", str(first["position"]), "--replay-id", first["replay_id"]]
    second = json.loads((await asyncio.to_thread(audited.run, *replay, *going_on)).stdout)

    found = Counter(headers["ce_id"] for headers in await replayed(audited, topic))
    assert second["complete"]
    assert first["published"] + second["published"] == len(found) == sum(found.values())
    assert {headers["ce_type"] for headers in await replayed(audited, topic)} == {
        b"checkout.ItemsUpdated"
    }


async def test_a_replay_counts_and_limits_and_takes_a_time(audited: Cluster, store: EventStore):
    topic = await topic_of(audited, "replay-counted")
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
    assert len(await replayed(audited, topic)) == 8


@pytest.mark.parametrize(
    "topic", ["events", "commands", "replies", "replies.shop", "dead-letters", "nowhere"]
)
def test_a_replay_goes_to_no_topic_of_the_service_nor_to_one_that_is_not_there(
    audited: Cluster, topic: str
):
    for prefix in (audited.prefix, "checkout."):
        ended = audited.run("audit", "replay", "--to", f"{prefix}{topic}")
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "--to" in ended.stderr
