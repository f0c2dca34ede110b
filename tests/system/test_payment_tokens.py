"""A buyer's payment token stays with us: whatever is told, shown, kept or logged holds none."""

import logging
import uuid

import httpx

from services.dev.system import dev_system
from tests.eventually import eventually_async
from tests.system.kafka_records import so_far
from tests.system.kafka_user import KafkaUser, kafka_user, new_id
from tests.system.paying import READY, opened_ready, paying

API_KEY = "a key that the tests know"
EVENTS = 6
"""Of a checkout that was opened, paid for, and told how that ended."""


async def test_a_token_is_in_no_event_reply_view_file_or_line_of_the_log(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    good, undecided = f"spt_ok_{uuid.uuid4().hex}", "spt_timeout_1"
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with (
        dev_system(tmp_path / "data", API_KEY) as dev,
        kafka_user(dev.kafka) as kafka,
        httpx.AsyncClient(base_url=dev.http, headers=headers, timeout=30) as http,
    ):
        tokens = [good, undecided, "spt_declined"]
        paths = [await paid_over_kafka(kafka, http, token) for token in tokens]
        paths += [await paid_over_http(http, token) for token in tokens]
        for path in paths:
            await kafka.events_of(path.rpartition("/")[2], EVENTS)
        topics = [await raw(dev.kafka, topic) for topic in ("events", "replies", "dead-letters")]
        shown = [
            (await http.get(path)).content
            for path in ("/v1/checkouts", "/metrics", *paths, *(f"{p}/events" for p in paths))
        ]
        kept = [path.read_bytes() for path in dev.data.iterdir()]
    kept += [path.read_bytes() for path in (tmp_path / "data").iterdir()]
    log = logged(caplog)

    # What must not hold a token does hold what belongs there.
    for checkout_id in (path.rpartition("/")[2] for path in paths):
        assert checkout_id in log
        assert checkout_id.encode() in topics[0]
        assert any(checkout_id.encode() in found for found in kept)
    assert "is undecided, the provider is called again" in log
    for token in tokens:
        assert not [found for found in (*topics, *shown, *kept) if token.encode() in found]
        assert token not in log


async def paid_over_kafka(kafka: KafkaUser, http: httpx.AsyncClient, token: str) -> str:
    checkout_id = new_id()
    await kafka.ask("CreateCheckout", checkout_id, READY)
    reply = await kafka.ask("CompleteCheckout", checkout_id, paying(token))
    assert reply["checkout"]["status"] == "in_progress"
    return await ended(http, f"/v1/checkouts/{checkout_id}")


async def paid_over_http(http: httpx.AsyncClient, token: str) -> str:
    path = await opened_ready(http)
    answer = await http.post(f"{path}/complete", json=paying(token))
    assert answer.status_code in (200, 202, 402)
    assert token not in answer.text
    return await ended(http, path)


async def ended(http: httpx.AsyncClient, path: str) -> str:
    """The same path, once the payment of its checkout has ended."""

    async def has_ended() -> bool:
        return (await http.get(path)).json()["status"] != "in_progress"

    await eventually_async(has_ended)
    return path


async def raw(bootstrap: str, topic: str) -> bytes:
    """All that is in a topic's records, headers too."""
    parts = [
        part or b""
        for record in await so_far(bootstrap, f"checkout.{topic}")
        for part in (record.key, record.value, *(value for _, value in record.headers))
    ]
    return b"\n".join(parts)


def logged(caplog) -> str:
    """All that our own side has logged, with tracebacks and whatever else is kept in a record."""
    formatter = logging.Formatter()
    ours = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    return "\n".join(f"{formatter.format(r)} {vars(r)}" for r in ours)
