"""Completing a checkout over HTTP: paid, declined, or still in progress after 5 seconds."""

import asyncio
import uuid

import pytest

from tests.eventually import eventually_async
from tests.example_files import example
from tests.system.http_user import BUYER, ITEMS, error_of
from tests.system.payment_requests import create_ready_checkout, payment_body


@pytest.fixture
def key():
    return {"Idempotency-Key": f"key {uuid.uuid4()}"}


@pytest.fixture
async def path(http):
    """Path of a checkout that is ready for payment."""
    return await create_ready_checkout(http)


def is_declined(answer, replayed=None):
    """Whether the response is the flat error of a declined payment."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers.get("idempotent-replayed") == replayed
    body = answer.json()
    assert body.keys() == {"type", "code", "message", "param"}
    error = (answer.status_code, body["type"], body["code"], body["param"])
    return error == (402, "processing_error", "payment_declined", "$.payment_data")


async def test_complete_returns_the_example_response(http):
    created = await http.post("/v1/checkouts", json=example("create.request"))
    path = created.headers["location"]
    await http.put(path, json=example("update.request"))

    answer = await http.post(f"{path}/complete", json=example("complete.request"))

    completed = answer.json()
    expected = example("complete.response")
    for name in ("id", "order_id"):
        expected[name] = completed[name]
    expected["payment"]["id"] = completed["payment"]["id"]
    assert (answer.status_code, completed) == (200, expected)
    assert completed["id"] == created.json()["id"]
    assert completed["order_id"].startswith("order_")
    assert completed["payment"]["id"].startswith("pay_")
    assert "payment_provider" not in completed


async def test_a_read_right_after_a_complete_shows_the_order(http, path):
    answer = await http.post(f"{path}/complete", json=payment_body())

    read = await http.get(path)
    assert (answer.status_code, read.json()) == (200, answer.json())
    assert read.headers["etag"] == answer.headers["etag"]
    listed = await http.get("/v1/checkouts", params={"status": "completed", "limit": 100})
    assert answer.json()["id"] in [shown["id"] for shown in listed.json()["data"]]


async def test_a_complete_request_may_set_the_buyer(http, path):
    answer = await http.post(f"{path}/complete", json=payment_body() | {"buyer": BUYER})

    assert (answer.status_code, answer.json()["buyer"]) == (200, BUYER)


async def test_a_repeated_complete_gets_the_same_order_and_pays_once(http, path, key):
    first, second = [
        await http.post(f"{path}/complete", json=payment_body(), headers=key) for _ in range(2)
    ]

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["etag"] == second.headers["etag"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    other = await http.post(f"{path}/complete", json=payment_body("spt_123"), headers=key)
    assert error_of(other) == (422, "idempotency_conflict")


async def test_concurrent_completes_with_one_key_start_one_payment(http, path, key):
    answers = await asyncio.gather(
        *(http.post(f"{path}/complete", json=payment_body(), headers=key) for _ in range(8))
    )

    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.content for answer in answers}) == 1
    events = (await http.get(f"{path}/events")).json()["data"]
    started = [event for event in events if event["type"] == "checkout.PaymentStarted"]
    assert len(started) == 1


@pytest.mark.parametrize("token", ["spt_declined", "spt_insufficient_funds", "spt_unheard_of"])
async def test_a_declined_payment_is_a_402_and_a_repeat_gets_the_same_402(http, path, key, token):
    first, again = [
        await http.post(f"{path}/complete", json=payment_body(token), headers=key) for _ in range(2)
    ]

    assert is_declined(first)
    assert is_declined(again, "true")
    assert first.content == again.content
    shown = (await http.get(path)).json()
    assert shown["status"] == "ready_for_payment"
    assert [message["code"] for message in shown["messages"]] == ["payment_declined"]
    assert shown["messages"][0]["content"] == first.json()["message"]


async def test_after_a_402_another_token_succeeds(http, path, key):
    assert is_declined(
        await http.post(f"{path}/complete", json=payment_body("spt_declined"), headers=key)
    )

    answer = await http.post(f"{path}/complete", json=payment_body())

    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert answer.json()["messages"] == []
    again = await http.post(f"{path}/complete", json=payment_body("spt_declined"), headers=key)
    assert is_declined(again, "true")


@pytest.mark.parametrize("token", ["spt_timeout_1", "spt_error", "spt_lost_answer"])
async def test_a_payment_succeeds_after_the_provider_failed_at_first(http, path, token):
    answer = await http.post(f"{path}/complete", json=payment_body(token))

    # On a busy machine the payment may take longer than the deadline.
    assert answer.status_code in (200, 202)
    await eventually_async(is_completed(http, path))


def is_completed(http, path):
    async def check():
        return (await http.get(path)).json()["status"] == "completed"

    return check


async def test_a_slow_payment_is_a_202_and_the_key_returns_the_outcome_later(http, path, key):
    # The provider answers after 12 s, so the repeated request also reaches its deadline.
    body = payment_body("spt_late_12")
    first = asyncio.create_task(http.post(f"{path}/complete", json=body, headers=key))

    async def is_running():
        return (await http.get(path)).json()["status"] == "in_progress"

    await eventually_async(is_running)
    again = asyncio.create_task(http.post(f"{path}/complete", json=body, headers=key))
    for answer in (
        await http.put(path, json={"items": ITEMS}),
        await http.post(f"{path}/cancel"),
        await http.post(f"{path}/complete", json=payment_body()),
    ):
        assert error_of(answer) == (409, "in_progress")
    started = await first

    assert (started.status_code, started.headers["location"]) == (202, path)
    assert started.json()["status"] == "in_progress"
    assert error_of(await again) == (409, "idempotency_in_flight")
    assert int((await again).headers["retry-after"]) >= 1
    await eventually_async(is_completed(http, path), within=30)
    last = await http.post(f"{path}/complete", json=body, headers=key)
    assert (last.status_code, last.json()) == (200, (await http.get(path)).json())
    assert last.json()["status"] == "completed"
    assert last.headers["idempotent-replayed"] == "true"
