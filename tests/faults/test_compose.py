"""The services that docker-compose.yml declares run scaled out on real servers and serve the examples."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest

from services.runtime.settings import Settings, variable
from tests.eventually import eventually_async
from tests.example_files import example
from tests.faults.compose import (
    COMPOSE,
    OWN_SERVICES,
    PASSWORD,
    ROOT,
    SERVICES,
    TEXT,
    Container,
    instruction,
    kafka_settings,
    options,
    source_of,
)
from tests.servers.kafka import own_kafka
from tests.servers.postgres import own_postgres
from tests.servers.programs import HOST, free_port
from tests.servers.redis import own_redis
from tests.system.kafka_user import header, kafka_user

SCALE = {"api": 1, "commands": 3, "relay": 1, "projector": 2, "payments": 2}
BOOK = "/etc/checkout/merchant.toml"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Servers with the declared options; yields the replacements for the services' settings."""
    declared = SERVICES["postgres"]["environment"]
    with ExitStack() as stack:
        kafka = stack.enter_context(own_kafka(kafka_settings()))
        postgres = stack.enter_context(own_postgres(options=options("postgres", "postgres")))
        redis = stack.enter_context(own_redis(options("redis", "redis-server")))
        with psycopg.connect(postgres.url, autocommit=True) as admin:
            admin.execute(f"CREATE ROLE {declared['POSTGRES_USER']} LOGIN PASSWORD '{PASSWORD}'")
            admin.execute(
                f"CREATE DATABASE {declared['POSTGRES_DB']} OWNER {declared['POSTGRES_USER']}"
            )
        yield {
            "kafka:9092": kafka.bootstrap_servers,
            "postgres:5432": postgres.url.partition("@")[2].partition("/")[0],
            "redis:6379": redis.url.removeprefix("redis://").partition("/")[0],
            BOOK: str(source_of(BOOK)),
            "/var/lib/checkout": str(tmp_path),
        }


@pytest.fixture
def api_key(servers: dict[str, str], tmp_path: Path) -> str:
    """`docker compose run api keys create`, before the first start."""
    scopes = ("--scope", "checkouts:read", "--scope", "checkouts:write")
    created = Container("api", servers, 0, tmp_path).run("keys", "create", "shop", *scopes)
    assert created.returncode == 0, created.stderr
    return created.stdout.strip()


@pytest.fixture
async def running(
    servers: dict[str, str], tmp_path: Path, api_key: str
) -> AsyncIterator[dict[str, Container]]:
    """`docker compose up --scale commands=3 --scale projector=2`; yields one container by service name."""
    created_topics = Container("topics", servers, 0, tmp_path).run()
    assert created_topics.returncode == 0, created_topics.stderr
    containers = [
        Container(name, servers, free_port(), tmp_path, number)
        for name, count in SCALE.items()
        for number in range(count)
    ]
    with ExitStack() as stack:
        for container in containers:
            container.start()
            stack.callback(container.stop)

        async def all_are_healthy() -> bool:
            checks = [asyncio.to_thread(container.is_healthy) for container in containers]
            return all(await asyncio.gather(*checks))

        await eventually_async(all_are_healthy, within=60)
        yield {container.service: container for container in containers}
        stack.pop_all()
        stopped = [asyncio.to_thread(container.stop) for container in containers]
        assert await asyncio.gather(*stopped) == [0] * len(containers)


async def test_the_declared_services_serve_the_examples(
    running: dict[str, Container], servers: dict[str, str], api_key: str
):
    send = ("send", "CreateCheckout", "checkout_42", "--json", "--data", "-")
    sent = running["commands"].run(*send, text=json.dumps(example("create.request")))
    assert sent.returncode == 0, sent.stderr
    reply = json.loads(sent.stdout)
    assert reply["type"] == "checkout.CommandAccepted"

    headers = {"Authorization": f"Bearer {api_key}"}
    async with httpx.AsyncClient(base_url=running["api"].url, headers=headers) as http:
        path = "/v1/checkouts/checkout_42"
        shown = (await http.get(path)).json()
        assert shown == reply["data"]["checkout"]
        assert shown == example("get.response") | {"id": "checkout_42"}
        updated = await http.put(path, json=example("update.request"))
        assert updated.json() == example("update.response") | {"id": "checkout_42"}
        canceled = await http.post(f"{path}/cancel", json=example("cancel.request"))
        assert canceled.json()["status"] == "canceled"
        assert (await http.get(path)).json() == canceled.json()
        created = await http.post("/v1/checkouts", json=example("create.request"))
        completing = f"{created.headers['location']}/complete"
        completed = await http.post(completing, json=example("complete.request"))
        assert completed.status_code == 200, completed.text
        assert completed.json()["payment"]["amount"] == 2250
    version = int(canceled.headers["etag"].strip('"'))

    async with kafka_user(servers["kafka:9092"]) as user:
        events = await user.records(
            "checkout.events", lambda record: record.key == b"checkout_42", version, range(12)
        )
    ids = [header(event, "ce_id") for event in events]
    assert ids == [f"checkout_42:{number}" for number in range(1, version + 1)]
    assert header(events[0], "ce_type") == "checkout.CheckoutCreated"
    assert header(events[-1], "ce_type") == "checkout.CheckoutCanceled"


def test_each_service_runs_a_command_of_the_image():
    assert set(OWN_SERVICES) == {"topics", *SCALE}
    for name in OWN_SERVICES:
        assert SERVICES[name]["command"] == [name]
    assert instruction("ENTRYPOINT") == ["checkout"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_long_running_service_has_a_health_check_and_restarts(name: str):
    service = SERVICES[name]
    if name == "topics":
        assert service["restart"].startswith("on-failure")
        assert "healthcheck" not in service
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]


@pytest.mark.parametrize("name", SCALE)
def test_a_service_waits_for_the_servers_and_the_topics(name: str):
    conditions = {k: v["condition"] for k, v in SERVICES[name]["depends_on"].items()}
    assert conditions == {
        "topics": "service_completed_successfully",
        "postgres": "service_healthy",
        "redis": "service_healthy",
    }
    assert SERVICES["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}


@pytest.mark.parametrize("name", SERVICES)
def test_services_can_be_scaled_and_publish_ports_on_loopback_only(name: str):
    assert "container_name" not in SERVICES[name]
    if name in ("commands", "relay", "projector"):
        assert "ports" not in SERVICES[name]
    for port in SERVICES[name].get("ports", ()):
        assert port.startswith(f"{HOST}:")


@pytest.mark.parametrize("name", OWN_SERVICES)
def test_each_setting_is_known_to_the_services(name: str):
    known_settings = {variable(field) for field in Settings.model_fields}
    assert set(SERVICES[name]["environment"]) <= known_settings


def test_the_compose_file_holds_no_secret():
    from_environment = r"\$\{[A-Z_]+:(\?[^}]+|-)\}"
    password_variable = re.escape("${POSTGRES_PASSWORD:?") + "[^}]*}"
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", name) and not value.startswith("/"):
                assert re.fullmatch(from_environment, value), name
    for credentials in re.findall(r"://([^/\s]*(?:\$\{[^}]*\})?)@", TEXT):
        assert re.fullmatch(f"checkout:{password_variable}", credentials)


def test_persistent_data_is_in_volumes():
    for name, folder in {
        "kafka": "/var/lib/kafka/data",
        "postgres": "/var/lib/postgresql/data",
        "api": "/var/lib/checkout",
        "payments": "/var/lib/checkout",
    }.items():
        [(volume, mounted)] = [v.split(":") for v in SERVICES[name]["volumes"]]
        assert mounted == folder
        assert volume in COMPOSE["volumes"]


def test_the_broker_has_the_version_that_the_tests_use():
    pom = (ROOT / "tests" / "servers" / "kafka_broker" / "pom.xml").read_text()
    [tested_version] = re.findall(r"kafka_2\.13</artifactId><version>([^<]+)<", pom)
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{tested_version}"


def test_the_image_runs_unprivileged_and_without_development_packages():
    text = (ROOT / "Dockerfile").read_text()
    assert text.rindex("\nUSER checkout\n") > text.rindex("\nFROM ")
    assert "--constraint requirements.lock '.[otel]'" in text
    assert "dev]" not in text
    assert "embedded]" not in text
