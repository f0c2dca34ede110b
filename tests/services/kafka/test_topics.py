"""Topics on a real broker: made once, never changed, and refused when they are wrong."""

import json
import signal
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from importlib.resources import files
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.security.token_encryption import new_key_line
from tests.eventually import eventually, eventually_async
from tests.servers.programs import HOST, free_port
from tests.services.command_line import CHECKOUT, checkout

HOUR_MS = 3_600_000
BOOK = files("domain") / "demo_book.toml"
KINDS = ("commands", "events", "replies", "dead-letters")


@pytest.fixture
def prefix() -> str:
    return f"t{uuid.uuid4().hex[:8]}."


@pytest.fixture
def environment(kafka_bootstrap: str, prefix: str, tmp_path: Path) -> dict[str, str]:
    """Settings with which each service would run if its topics were there."""
    return {
        "CHECKOUT_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "CHECKOUT_TOPIC_PREFIX": prefix,
        "CHECKOUT_TOPIC_PARTITIONS": "2",
        "CHECKOUT_EVENT_STORE_URL": f"sqlite:///{tmp_path}/events.db",
        "CHECKOUT_REDIS_URL": f"redis://{HOST}:1",
        "CHECKOUT_MERCHANT_FILE": str(BOOK),
        "CHECKOUT_TOKEN_KEYS": new_key_line("tests").strip(),
        "CHECKOUT_HTTP_PORT": "0",
    }


@pytest.fixture
async def admin(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def configs_of(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    [response] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    [(_, _, _, _, entries)] = response.resources
    return {name: value for name, value, *_ in entries}


async def until_known(admin: AIOKafkaAdminClient, prefix: str) -> None:
    """A broker that made a topic tells of it a moment later."""

    async def all_are_known() -> bool:
        known = await partitions_of(admin, prefix)
        return set(KINDS) <= known.keys() and all(known.values())

    await eventually_async(all_are_known)


async def partitions_of(admin: AIOKafkaAdminClient, prefix: str) -> dict[str, int]:
    described = await admin.describe_topics()
    return {
        topic["topic"].removeprefix(prefix): len(topic["partitions"])
        for topic in described
        if topic["topic"].startswith(prefix)
    }


def complaint(ended: CompletedProcess[str]) -> str:
    """The one line for whoever must mend it."""
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    [line] = [line for line in ended.stderr.splitlines() if line.startswith("checkout: ")]
    return line


async def test_they_keep_what_the_defaults_say_and_none_is_compacted(
    admin: AIOKafkaAdminClient, environment: dict[str, str], prefix: str
):
    del environment["CHECKOUT_TOPIC_PARTITIONS"]
    ended = checkout("topics", "--json", **environment)

    assert json.loads(ended.stdout) == {f"{prefix}{kind}": True for kind in KINDS}
    await until_known(admin, prefix)
    assert await partitions_of(admin, prefix) == dict.fromkeys(KINDS, 12)
    kept = {}
    for kind in KINDS:
        configs = await configs_of(admin, f"{prefix}{kind}")
        assert configs["cleanup.policy"] == "delete"
        assert configs["retention.bytes"] == "-1"
        kept[kind] = int(configs["retention.ms"])
    week = 7 * 24 * HOUR_MS
    assert kept == {"commands": week, "events": -1, "replies": week, "dead-letters": 720 * HOUR_MS}


async def test_partitions_and_retention_are_settings_of_each(
    admin: AIOKafkaAdminClient, environment: dict[str, str], prefix: str
):
    environment |= {
        "CHECKOUT_TOPIC_COMMANDS_PARTITIONS": "5",
        "CHECKOUT_TOPIC_DEAD_LETTERS_PARTITIONS": "1",
        "CHECKOUT_TOPIC_COMMANDS_RETENTION_HOURS": "unlimited",
        "CHECKOUT_TOPIC_EVENTS_RETENTION_HOURS": "48",
    }
    assert checkout("topics", **environment).returncode == 0

    await until_known(admin, prefix)
    found = await partitions_of(admin, prefix)
    assert found == {"commands": 5, "events": 2, "replies": 2, "dead-letters": 1}
    assert (await configs_of(admin, f"{prefix}commands"))["retention.ms"] == "-1"
    assert (await configs_of(admin, f"{prefix}events"))["retention.ms"] == str(48 * HOUR_MS)


async def test_run_again_it_makes_what_is_missing_and_leaves_the_rest(
    admin: AIOKafkaAdminClient, environment: dict[str, str], prefix: str
):
    assert checkout("topics", **environment).returncode == 0
    await admin.delete_topics([f"{prefix}replies"])

    again = checkout("topics", "--json", **environment)

    assert json.loads(again.stdout) == {f"{prefix}{kind}": kind == "replies" for kind in KINDS}
    third = checkout("topics", **environment)
    assert third.stdout.count("is there already") == 4


@pytest.mark.parametrize("kind", ["commands", "events"])
def test_another_number_of_partitions_is_refused_with_the_reason(
    environment: dict[str, str], prefix: str, kind: str
):
    assert checkout("topics", **environment).returncode == 0

    variable = f"CHECKOUT_TOPIC_{kind.upper()}_PARTITIONS"
    told = complaint(checkout("topics", **environment | {variable: "3"}))

    assert f"{prefix}{kind} has 2 partitions, not 3" in told
    assert "out of order" in told
    assert f"set {variable}=2" in told


@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
@pytest.mark.parametrize("kind", ["commands", "events"])
async def test_a_compacted_topic_is_refused_with_the_reason(
    admin: AIOKafkaAdminClient, environment: dict[str, str], prefix: str, kind: str, policy: str
):
    topic = f"{prefix}{kind}"
    await admin.create_topics([NewTopic(topic, 2, 1, topic_configs={"cleanup.policy": policy})])

    told = complaint(checkout("topics", **environment))

    assert f"{topic} has cleanup.policy={policy}" in told
    assert "deletes all but the newest record of a checkout" in told
    assert "cleanup.policy=delete" in told
    assert list(await partitions_of(admin, prefix)) == [kind]


def test_another_retention_is_refused_with_how_to_change_it(
    environment: dict[str, str], prefix: str
):
    assert checkout("topics", **environment).returncode == 0

    variable = "CHECKOUT_TOPIC_EVENTS_RETENTION_HOURS"
    told = complaint(checkout("topics", **environment | {variable: "1"}))

    assert f"{prefix}events has retention.ms=-1, and {variable} asks for {HOUR_MS}" in told
    assert f"--add-config retention.ms={HOUR_MS}" in told


def test_more_copies_than_brokers_is_refused_in_the_words_of_kafka(
    environment: dict[str, str], prefix: str
):
    told = complaint(checkout("topics", **environment | {"CHECKOUT_TOPIC_REPLICATION": "3"}))

    assert f"Kafka does not create {prefix}commands: " in told
    assert "replicat" in told.lower()


@pytest.mark.parametrize(
    ("service", "missing"),
    [("commands", "commands"), ("relay", "events"), ("projector", "events")],
)
def test_a_service_does_not_start_without_its_topics_and_says_how_to_make_them(
    environment: dict[str, str], prefix: str, service: str, missing: str
):
    told = complaint(checkout(service, **environment))

    assert f"{prefix}{missing}" in told
    assert "missing" in told
    assert "`checkout topics` creates" in told


@pytest.mark.parametrize(
    ("service", "kind"), [("commands", "commands"), ("relay", "events"), ("projector", "events")]
)
async def test_a_service_does_not_start_on_a_compacted_topic(
    admin: AIOKafkaAdminClient, environment: dict[str, str], prefix: str, service: str, kind: str
):
    compacted = {f"{prefix}{kind}": {"cleanup.policy": "compact"}}
    wanted = {f"{prefix}{other}": {} for other in KINDS} | compacted
    await admin.create_topics([NewTopic(n, 1, 1, topic_configs=c) for n, c in wanted.items()])

    told = complaint(checkout(service, **environment))

    assert f"{prefix}{kind} has cleanup.policy=compact" in told


@pytest.fixture
def waiting_relay(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A relay whose Kafka is away, and where it listens."""
    port = free_port()
    away = {"CHECKOUT_KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:1", "CHECKOUT_HTTP_PORT": str(port)}
    process = subprocess.Popen(
        [CHECKOUT, "relay"], env=environment | away, stderr=subprocess.DEVNULL
    )
    try:
        yield process, f"http://{HOST}:{port}"
    finally:
        process.kill()
        process.wait(10)


def test_a_service_waits_for_a_kafka_that_is_away_and_says_so(
    waiting_relay: tuple[subprocess.Popen[bytes], str],
):
    process, url = waiting_relay

    def told() -> str:
        try:
            return str(httpx.get(f"{url}/readyz").json()["checks"]["topics"])
        except httpx.TransportError:
            return ""

    eventually(lambda: "Kafka can't be asked for the topics" in told(), within=20)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
