"""Payment tokens do not appear in messages, responses, files or logs."""

import logging
import uuid

import httpx

from services.dev.system import dev_system
from tests.eventually import eventually_async
from tests.system.kafka_records import read_all
from tests.system.kafka_user import KafkaUser, kafka_user, new_id
from tests.system.payment_requests import READY_CHECKOUT, create_ready_checkout, payment_body

API_KEY = "a key that the tests know"
EVENTS = 6
"""The events of a checkout from its creation to the outcome of its payment."""


async def test_a_token_appears_in_no_event_reply_view_file_or_log_line(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    paid, undecided = f"spt_ok_{uuid.uuid4().hex}", "spt_timeout_1"
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with (
        dev_system(tmp_path / "data", API_KEY) as dev,
        kafka_user(dev.kafka) as kafka,
        httpx.AsyncClient(base_url=dev.http, headers=headers, timeout=30) as http,
    ):
        tokens = [paid, undecided, "spt_declined"]
        paths = [await pay_over_kafka(kafka, http, token) for token in tokens]
        paths += [await pay_over_http(http, token) for token in tokens]
        for path in paths:
            await kafka.events_of(path.rpartition("/")[2], EVENTS)
        topics = [
            await read_topic(dev.kafka, topic) for topic in ("events", "replies", "dead-letters")
        ]
        shown = [
            (await http.get(path)).content
            for path in ("/v1/checkouts", "/metrics", *paths, *(f"{p}/events" for p in paths))
        ]
        files = [path.read_bytes() for path in dev.data.iterdir()]
    files += [path.read_bytes() for path in (tmp_path / "data").iterdir()]
    log_text = logged_text(caplog)

    # The checked places do hold the checkout ids, so the search below looks at real content.
    for checkout_id in (path.rpartition("/")[2] for path in paths):
        assert checkout_id in log_text
        assert checkout_id.encode() in topics[0]
        assert any(checkout_id.encode() in found for found in files)
    assert "is undecided, the provider is called again" in log_text
    for token in tokens:
        assert not [found for found in (*topics, *shown, *files) if token.encode() in found]
        assert token not in log_text


async def pay_over_kafka(kafka: KafkaUser, http: httpx.AsyncClient, token: str) -> str:
    checkout_id = new_id()
    await kafka.request("CreateCheckout", checkout_id, READY_CHECKOUT)
    reply = await kafka.request("CompleteCheckout", checkout_id, payment_body(token))
    assert reply["checkout"]["status"] == "in_progress"
    return await wait_for_payment(http, f"/v1/checkouts/{checkout_id}")


async def pay_over_http(http: httpx.AsyncClient, token: str) -> str:
    path = await create_ready_checkout(http)
    answer = await http.post(f"{path}/complete", json=payment_body(token))
    assert answer.status_code in (200, 202, 402)
    assert token not in answer.text
    return await wait_for_payment(http, path)


async def wait_for_payment(http: httpx.AsyncClient, path: str) -> str:
    """Wait until the checkout's payment has ended; returns the path."""

    async def has_ended() -> bool:
        return (await http.get(path)).json()["status"] != "in_progress"

    await eventually_async(has_ended)
    return path


async def read_topic(bootstrap: str, topic: str) -> bytes:
    """Keys, values and header values of all records of a topic."""
    parts = [
        part or b""
        for record in await read_all(bootstrap, f"checkout.{topic}")
        for part in (record.key, record.value, *(value for _, value in record.headers))
    ]
    return b"\n".join(parts)


def logged_text(caplog) -> str:
    """All log records of the services, with tracebacks and extra attributes."""
    formatter = logging.Formatter()
    own_records = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    return "\n".join(f"{formatter.format(r)} {vars(r)}" for r in own_records)
