"""Query strings, bodies and keys stay out of the logs, whatever the outcome of a request."""

import asyncio
import logging
import uuid

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from services.dev.system import dev_system
from services.http_api.middleware import RequestMiddleware
from tests.eventually import eventually
from tests.system.http_user import ADDRESS, BUYER, ITEMS

SECRETS = ("secret-key", "secret-query", "secret-body", "secret-again")


def logged_lines(caplog):
    """All log records of the services, with tracebacks and extra attributes."""
    own_records = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    formatter = logging.Formatter()
    return [f"{r.name} {formatter.format(r)} {vars(r)}" for r in own_records]


async def send_requests(http):
    """Send requests that contain secrets, one for each outcome; returns the statuses."""
    again = {"Idempotency-Key": "secret-again"}
    body = {
        "items": ITEMS,
        "buyer": BUYER | {"first_name": "secret-body"},
        "fulfillment_address": ADDRESS | {"line_two": "secret-body"},
    }
    created = await http.post("/v1/checkouts", json=body, headers=again)
    path = created.headers["location"]
    answers = [
        created,
        await http.post("/v1/checkouts", json=body, headers=again),
        await http.put(path, json={"buyer": body["buyer"]}, headers=again),
        await http.put(path, json={"secret-body": "secret-body"}),
        await http.put(path, content=b"secret-body", headers={"Content-Type": "application/json"}),
        await http.get(path, params={"secret-query": "secret-query"}),
        await http.get("/v1/checkouts", params={"buyer_email": "secret-query"}),
        await http.get("/v1/checkouts", params={"cursor": "secret-query"}),
        await http.post(f"{path}/cancel", json={"message": "secret-body"}),
        await http.get("/nothing/secret-query"),
        await http.get(path, headers={"Authorization": "Bearer not-secret-key"}),
    ]
    return [answer.status_code for answer in answers]


async def test_no_key_query_or_body_is_logged(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    async with dev_system(tmp_path / "data", "secret-key") as system:
        headers = {"Authorization": "Bearer secret-key"}
        async with httpx.AsyncClient(base_url=system.http, headers=headers) as http:
            statuses = await send_requests(http)

    assert statuses == [201, 201, 200, 400, 400, 400, 200, 400, 200, 404, 401]
    lines = logged_lines(caplog)
    requests = [line for line in lines if line.startswith("checkout.http ")]
    assert len(requests) == 11
    assert not [line for line in lines for secret in SECRETS if secret in line]


async def test_a_request_logs_one_line_with_method_route_status_and_id(tmp_path, caplog):
    caplog.set_level(logging.INFO, "checkout.http")
    request_id = uuid.uuid4().hex
    async with dev_system(tmp_path / "data") as system, httpx.AsyncClient() as http:
        await http.put(f"{system.http}/v1/checkouts/abc", headers={"Request-Id": request_id})

    [line] = [r.getMessage() for r in caplog.records if r.name == "checkout.http"]
    assert line.startswith("PUT /v1/checkouts/{checkout_id} 401 ")
    assert line.endswith(f"request_id={request_id}")


async def test_a_client_that_disconnects_during_its_body_logs_no_error(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    head = (
        "POST /v1/checkouts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret-key\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    async with dev_system(tmp_path / "data", "secret-key") as system:
        url = httpx.URL(system.http)
        _, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(head.encode())
        await writer.drain()
        writer.close()
        await asyncio.to_thread(eventually, lambda: "checkout.http" in caplog.text)

    [line] = [r.getMessage() for r in caplog.records if r.name == "checkout.http"]
    assert line.startswith("POST /v1/checkouts 499 ")
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


@pytest.fixture
def failing_app():
    """An application that raises, behind our middleware."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a server bug")

    return httpx.ASGITransport(RequestMiddleware(app))


async def test_an_internal_error_is_logged_and_hidden_from_the_client(failing_app, caplog):
    async with httpx.AsyncClient(transport=failing_app, base_url="http://api") as http:
        answer = await http.post("/?secret-query", json="secret-body")

    assert answer.status_code == 500
    assert answer.headers["request-id"] in caplog.text
    assert (answer.json()["type"], answer.json()["code"]) == ("processing_error", "internal")
    assert "bug" not in answer.text
    assert "RuntimeError: a server bug" in caplog.text
    assert not [line for line in logged_lines(caplog) for secret in SECRETS if secret in line]
