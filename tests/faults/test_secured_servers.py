"""The system on servers with TLS and passwords, configured by settings only."""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.eventually import eventually
from tests.faults.cluster import API_KEY, Cluster, ServiceProcess
from tests.faults.load_run import start_services
from tests.servers.postgres import fresh_database
from tests.servers.secured import PASSWORDS, SecuredServers, secured_servers

ITEMS = {"items": [{"id": "item_123", "quantity": 1}]}


@pytest.fixture(scope="module")
def servers() -> Iterator[SecuredServers]:
    with secured_servers() as secured:
        yield secured


@pytest.fixture
def on_secured(servers: SecuredServers) -> Iterator[Cluster]:
    """A cluster whose services authenticate to Kafka with SCRAM-SHA-512."""
    with (
        tempfile.TemporaryDirectory(prefix="checkout-secured-") as folder,
        fresh_database(servers.postgres.url) as database,
    ):
        cluster = Cluster(servers.kafka, servers.postgres, servers.redis, database, Path(folder))
        cluster.environment |= servers.kafka_settings("SCRAM-SHA-512")
        try:
            yield cluster
        finally:
            cluster.stop()


async def test_commands_over_both_channels_reach_the_projector(on_secured: Cluster, servers):
    created_topics = await asyncio.to_thread(on_secured.run, "topics")
    assert created_topics.returncode == 0, created_topics.stderr
    api, commands, relay, projector = await start_services(on_secured)

    body = on_secured.folder / "items.json"
    body.write_text(json.dumps(ITEMS))
    send = ("send", "CreateCheckout", "over-kafka", "--data", str(body))
    sent_command = await asyncio.to_thread(on_secured.run, *send, **servers.kafka_settings("PLAIN"))
    assert sent_command.returncode == 0, sent_command.stderr
    bearer = {"Authorization": f"Bearer {API_KEY}"}
    async with httpx.AsyncClient(base_url=api.url, headers=bearer, timeout=10) as http:
        created = await http.post("/v1/checkouts", json=ITEMS)
        assert created.status_code == 201, created.text
        for path in ("/v1/checkouts/over-kafka", created.headers["location"]):
            assert (await http.get(path)).status_code == 200

    events = 2 * len(("CheckoutCreated", "ItemsUpdated", "CheckoutPriced"))
    eventually(lambda: _count(relay.url, "checkout_relayed_events_total") == events, 20)
    eventually(lambda: _count(projector.url, "checkout_projected_events_total") == events, 20)
    for service in (api, commands, relay, projector):
        assert service.stop() == 0
        assert not [password for password in PASSWORDS if password in service.log()]


@pytest.mark.parametrize(
    ("setting", "bad_value"),
    [("CHECKOUT_KAFKA_SASL_PASSWORD", "wrong-Geheim"), ("CHECKOUT_KAFKA_SSL_CAFILE", "")],
)
def test_a_failed_kafka_login_or_certificate_check_is_reported_without_the_password(
    on_secured: Cluster, setting, bad_value
):
    ended = on_secured.run("topics", **{setting: bad_value})

    assert ended.returncode == 1
    assert "KafkaConnectionError" in ended.stderr or "Authentication" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Geheim" not in ended.stderr


def test_a_wrong_event_store_password_stops_the_start_and_names_the_setting(on_secured: Cluster):
    setting = "CHECKOUT_EVENT_STORE_URL"
    bad_value = on_secured.environment[setting].replace("Geheim", "Wrong")

    ended = on_secured.run("api", **{setting: bad_value, "CHECKOUT_HTTP_PORT": "0"})

    assert ended.returncode == 1
    assert f"{setting}: " in ended.stderr
    assert "Wrong" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wrong_redis_password_is_reported_by_readiness(on_secured: Cluster):
    bad_value = on_secured.environment["CHECKOUT_REDIS_URL"].replace("Geheim", "Wrong")
    api = on_secured.add("api", CHECKOUT_REDIS_URL=bad_value)

    eventually(lambda: _readiness(api), 30)

    assert _readiness(api)["redis"] == "AuthenticationError"
    assert "redis-Wrong" not in api.log()


def _readiness(api: ServiceProcess) -> dict[str, str]:
    try:
        return api.readiness()
    except httpx.HTTPError:
        return {}


def _count(url: str, name: str) -> float:
    lines = httpx.get(f"{url}/metrics", timeout=5).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))
