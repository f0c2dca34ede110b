"""What the calls answer is what `/openapi.json` says: status, headers and body."""

from datetime import UTC, datetime
from http import HTTPStatus

import httpx
import orjson
import pytest

from domain.commands import CreateCheckout
from domain.events import EVENTS
from domain.rejection import Rejection, RejectionCode
from projections.registry import render_view
from services.command_handling import Accepted, Expired, Failed, Overloaded, Rejected
from services.event_store import StoreUnavailable
from services.http_api.app import ApiDependencies, HttpApi
from services.http_api.list_reader import ListReader
from services.kafka.topics import Topics
from services.messages.event_messages import structured_event
from services.messages.scenario import scenario
from services.security.api_keys import ApiKey, Scope
from tests.domain.given import ADA, MUG, after, ask
from tests.services.served_documents import faults, follow, operations

CALLS = {
    "create_checkout": ("POST", "/v1/checkouts", {"items": MUG}),
    "list_checkouts": ("GET", "/v1/checkouts", None),
    "get_checkout": ("GET", "/v1/checkouts/c1", None),
    "list_events": ("GET", "/v1/checkouts/c1/events", None),
    "update_checkout": ("PUT", "/v1/checkouts/c1", {"buyer": None}),
    "complete_checkout": (
        "POST",
        "/v1/checkouts/c1/complete",
        {"payment_data": {"token": "spt_1", "provider": "stripe"}},
    ),
    "cancel_checkout": ("POST", "/v1/checkouts/c1/cancel", {}),
}
WRITES = ["create_checkout", "update_checkout", "complete_checkout", "cancel_checkout"]
SHOWN = render_view(after(None, ask(None, CreateCheckout.parse({"items": MUG, "buyer": ADA}))))


class Keys:
    """The token is the scope."""

    def find(self, token):
        if token not in set(Scope):
            return None
        return ApiKey(name="shop", digest="", scopes=(token,), created_at=datetime.now(UTC))


class Scripted:
    """Stands in for the writer and the readers: gives, or raises, what it was told to."""

    def __init__(self, answer):
        self.answer = answer

    async def submit(self, _):
        return [await self.get(_)]

    async def end(self, *_, **__):
        raise TimeoutError

    async def get(self, _):
        return self.view_at(_)

    def view_at(self, *_):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    events_after = view_at


def app_that_answers(answer=None):
    scripted = Scripted(answer)
    lists = ListReader(None)
    return HttpApi(
        ApiDependencies(scripted, scripted, scripted, lists, scripted, Keys(), Topics(), {})
    )


async def call(operation_id, answer=None, scope=None, query="", **changes):
    method, path, body = CALLS[operation_id]
    scope = scope or (Scope.READ if method == "GET" else Scope.WRITE)
    request = {"headers": {"Authorization": f"Bearer {scope}"}}
    if body is not None:
        request["json"] = body
    request["headers"] |= changes.pop("headers", {})
    request |= changes
    transport = httpx.ASGITransport(app_that_answers(answer))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        return await client.request(method, path + query, **request)


@pytest.fixture(scope="module")
def document():
    return app_that_answers().openapi()


def assert_documented(document, operation_id, response):
    """Status, headers and body of an answer are as the document says."""
    promised = operations(document)[operation_id]["responses"][str(response.status_code)]
    headers = {name.lower(): follow(document, it) for name, it in promised["headers"].items()}
    sent = {**response.headers}
    assert sent.keys() - headers.keys() <= {"content-length", "content-type"}
    assert {name for name, header in headers.items() if header.get("required")} <= sent.keys()
    for name in sent.keys() & headers.keys():
        assert faults(document, headers[name]["schema"], sent[name]) == []
    if "content" in promised:
        assert response.headers["content-type"] == "application/json"
        assert (
            faults(document, promised["content"]["application/json"]["schema"], response.json())
            == []
        )
        if response.is_error:
            named = promised["content"]["application/json"]["examples"]
            assert response.json()["code"] in named
    else:
        assert response.content == b""


@pytest.mark.parametrize("operation_id", WRITES)
@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("readable", [False, True])
async def test_a_writes_answer_is_as_documented(document, operation_id, repeated, readable):
    answer = Accepted(SHOWN, repeated=repeated, readable=readable)

    response = await call(operation_id, answer, headers={"Idempotency-Key": "k"})

    assert response.is_success
    assert_documented(document, operation_id, response)


@pytest.mark.parametrize(
    ("tag", "status"), [('"1"', HTTPStatus.OK), ("*", HTTPStatus.NOT_MODIFIED)]
)
async def test_a_reads_answer_is_as_documented(document, tag, status):
    response = await call("get_checkout", SHOWN, headers={"If-None-Match": tag})

    assert response.status_code == status
    assert_documented(document, "get_checkout", response)


@pytest.mark.parametrize("moment", [{"version": 1}, {"at": "2026-11-21T12:00:00Z"}])
async def test_an_answer_about_the_past_is_as_documented(document, moment):
    response = await call("get_checkout", SHOWN, params=moment)

    assert (response.status_code, response.content) == (HTTPStatus.OK, SHOWN.body)
    assert_documented(document, "get_checkout", response)


async def test_a_page_of_events_is_as_documented(document):
    told = [structured_event(event) for it in scenario().values() for event in it.events]
    page = orjson.dumps({"data": told, "has_more": False})

    response = await call("list_events", page)

    assert response.json()["data"] == told
    assert {event["type"] for event in told} == {f"checkout.{it.NAME}" for it in EVENTS.values()}
    assert_documented(document, "list_events", response)


@pytest.mark.parametrize(("repeated", "status"), [(False, 202), (True, 409)])
async def test_a_payment_that_runs_on_is_answered_as_documented(document, repeated, status):
    answer = Accepted(SHOWN, repeated=repeated, is_paying=True)

    response = await call("complete_checkout", answer, headers={"Idempotency-Key": "k"})

    assert response.status_code == status
    assert_documented(document, "complete_checkout", response)


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize(
    ("operation_id", "code"),
    [
        *((operation_id, RejectionCode.INVALID) for operation_id in WRITES),
        *((operation_id, RejectionCode.VERSION_MISMATCH) for operation_id in WRITES),
        ("create_checkout", RejectionCode.ALREADY_EXISTS),
        ("update_checkout", RejectionCode.NOT_FOUND),
        ("update_checkout", RejectionCode.CHECKOUT_CLOSED),
        ("update_checkout", RejectionCode.IN_PROGRESS),
        ("complete_checkout", RejectionCode.NOT_FOUND),
        ("complete_checkout", RejectionCode.CHECKOUT_CLOSED),
        ("complete_checkout", RejectionCode.IN_PROGRESS),
        ("complete_checkout", RejectionCode.NOT_READY),
        ("complete_checkout", RejectionCode.PAYMENT_DECLINED),
        ("cancel_checkout", RejectionCode.IN_PROGRESS),
        ("cancel_checkout", RejectionCode.NOT_FOUND),
        ("cancel_checkout", RejectionCode.NOT_CANCELABLE),
    ],
)
async def test_a_rejection_is_as_documented(document, operation_id, code, repeated):
    answer = Rejected(Rejection(code, "why"), repeated=repeated)

    response = await call(operation_id, answer, headers={"Idempotency-Key": "k"})

    assert response.json()["code"] == code
    assert_documented(document, operation_id, response)


@pytest.mark.parametrize("operation_id", WRITES)
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"content": b" " * (1024 * 1024 + 1)}, 413),
        ({"content": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"json": {"coupon": "SPRING"}}, 400),
        ({"params": {"dry_run": "1"}}, 400),
        ({"headers": {"Idempotency-Key": "k" * 256}}, 400),
        ({"answer": Rejected(Rejection(RejectionCode.IDEMPOTENCY_CONFLICT, "why"))}, 422),
        ({"answer": Failed()}, 500),
        ({"answer": Expired()}, 503),
        ({"answer": Overloaded()}, 503),
        ({"answer": TimeoutError()}, 503),
    ],
)
async def test_a_write_that_fails_answers_as_documented(document, operation_id, changes, status):
    response = await call(operation_id, **changes)

    assert response.status_code == status
    assert_documented(document, operation_id, response)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"answer": None}, 404),
        ({"params": {"dry_run": "1"}}, 400),
        ({"answer": StoreUnavailable()}, 503),
        ({"answer": TimeoutError()}, 503),
        ({"answer": RuntimeError("a fault")}, 500),
    ],
)
@pytest.mark.parametrize(
    ("operation_id", "query"),
    [("get_checkout", ""), ("get_checkout", "?version=1"), ("list_events", "")],
)
async def test_a_read_that_fails_answers_as_documented(
    document, operation_id, query, changes, status
):
    response = await call(operation_id, query=query, **changes)

    assert response.status_code == status
    assert_documented(document, operation_id, response)


@pytest.mark.parametrize("operation_id", CALLS)
async def test_whoever_lacks_a_key_or_a_scope_is_turned_away_as_documented(document, operation_id):
    other = Scope.READ if operation_id in WRITES else Scope.WRITE

    stranger = await call(operation_id, scope="unknown")
    guest = await call(operation_id, scope=other)

    assert (stranger.status_code, guest.status_code) == (401, 403)
    assert_documented(document, operation_id, stranger)
    assert_documented(document, operation_id, guest)
