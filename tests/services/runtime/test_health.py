"""What an orchestrator asks each service: whether it lives, whether it is ready, and its numbers."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette

from services.runtime import health
from services.runtime.health import degrading, health_routes, readiness
from services.runtime.metrics import COMMANDS


async def well():
    return None


async def unwell():
    return "the disk is full"


async def broken():
    raise ConnectionRefusedError("nobody listens")


async def silent():
    await asyncio.Event().wait()


@pytest.fixture
def quick(monkeypatch):
    """A bound that a test can wait for."""
    monkeypatch.setattr(health, "_TIMEOUT_SECONDS", 0.1)


def client(**checks):
    app = Starlette(routes=health_routes(checks))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


async def test_it_is_ready_when_each_check_is_well():
    async with client(store=well, kafka=well) as service:
        answer = await service.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"store": "ok", "kafka": "ok"}}


async def test_it_is_not_ready_while_one_check_fails_and_tells_which_and_why():
    async with client(store=well, kafka=unwell) as service:
        answer = await service.get("/readyz")

    assert answer.status_code == 503
    checks = {"store": "ok", "kafka": "the disk is full"}
    assert answer.json() == {"status": "not_ready", "checks": checks}


async def test_it_is_degraded_while_only_what_it_can_do_without_fails():
    async with client(store=well, redis=degrading(unwell)) as service:
        answer = await service.get("/readyz")

    assert answer.status_code == 200
    checks = {"store": "ok", "redis": "the disk is full"}
    assert answer.json() == {"status": "degraded", "checks": checks}


async def test_it_is_not_ready_if_something_that_it_needs_fails_as_well():
    async with client(store=unwell, redis=degrading(unwell)) as service:
        answer = await service.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (503, "not_ready")


async def test_no_answer_and_an_error_only_degrade_too(quick):
    async with client(redis=degrading(silent), cache=degrading(broken)) as service:
        answer = (await service.get("/readyz")).json()

    assert answer["status"] == "degraded"
    assert "no answer" in answer["checks"]["redis"]
    assert answer["checks"]["cache"] == "ConnectionRefusedError"


async def test_a_check_that_breaks_is_told_and_logged(caplog):
    states = await readiness({"store": broken, "kafka": well})

    assert states == {"store": "ConnectionRefusedError", "kafka": "ok"}
    assert "nobody listens" in caplog.text
    assert "a readiness check failed" in caplog.text


async def test_a_check_without_an_answer_is_given_up_and_holds_no_other_up(quick):
    async with asyncio.timeout(5):
        states = await readiness({"store": silent, "kafka": well, "redis": silent})

    assert states["kafka"] == "ok"
    assert states["store"] == states["redis"] != "ok"
    assert "no answer" in states["store"]


async def test_it_lives_even_when_it_is_not_ready():
    async with client(store=unwell) as service:
        answer = await service.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_metrics_are_in_the_format_of_prometheus():
    COMMANDS.labels(door="kafka", type="CancelCheckout", outcome="tested").inc()
    async with client() as service:
        answer = await service.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE checkout_commands_total counter" in answer.text
    labels = 'door="kafka",outcome="tested",type="CancelCheckout"'
    assert f"checkout_commands_total{{{labels}}} 1.0" in answer.text
