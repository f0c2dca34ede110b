"""Each command's outcome is logged and counted, and its trace continues in its events."""

import logging
import uuid

import httpx

from services.dev.system import dev_system
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import header, kafka_user, new_id

TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"
KEY = "an idempotency key is a secret"


def outcome_lines(caplog) -> dict[str, dict]:
    """The log lines of command outcomes, by correlation id."""
    lines = [vars(r) for r in caplog.records if r.name == "checkout.commands"]
    return {line["correlation_id"]: line for line in lines}


async def test_each_command_outcome_is_logged_and_counted(tmp_path, caplog):
    caplog.set_level(logging.INFO, "checkout.commands")
    correlation, missing = uuid.uuid4().hex, new_id()
    traced = {"Request-Id": correlation, "traceparent": TRACEPARENT}
    async with dev_system(tmp_path, "key") as system, kafka_user(system.kafka) as kafka:
        bearer = {"Authorization": "Bearer key"}
        async with httpx.AsyncClient(base_url=system.http, headers=bearer) as http:
            keyed = traced | {"Idempotency-Key": KEY}
            created = (await http.post("/v1/checkouts", json=ONE_ITEM, headers=keyed)).json()
            by_kafka = await kafka.publish("CancelCheckout", missing, None, traceparent=TRACEPARENT)
            await kafka.replies_to(by_kafka)
            events = await kafka.events_of(created["id"], 3)
            metrics = (await http.get("/metrics")).text

    over_http, over_kafka = outcome_lines(caplog)[correlation], outcome_lines(caplog)[by_kafka]
    facts = ("door", "type", "outcome", "checkout_id", "traceparent")
    assert [over_http[fact] for fact in facts] == [
        *("http", "CreateCheckout", "accepted", created["id"], TRACEPARENT)
    ]
    assert over_http["version"] == 3
    assert over_http["outcome_key"].startswith("http:")
    assert KEY not in str(over_http)
    assert [over_kafka[fact] for fact in facts] == [
        *("kafka", "CancelCheckout", "rejected", missing, TRACEPARENT)
    ]
    assert (over_kafka["command_id"], over_kafka["error_code"]) == (by_kafka, "not_found")
    assert {header(event, "traceparent") for event in events} == {TRACEPARENT}
    for metric in (
        'checkout_commands_total{door="http",outcome="accepted",type="CreateCheckout"}',
        'checkout_commands_total{door="kafka",outcome="rejected",type="CancelCheckout"}',
        "checkout_decide_seconds_count",
        "checkout_append_seconds_count",
        "checkout_relay_lag_events 0.0",
        "checkout_projection_lag_seconds",
        "checkout_command_lag_commands 0.0",
    ):
        assert metric in metrics


async def test_unknown_command_types_share_one_metric_label(tmp_path):
    async with dev_system(tmp_path, "key") as system, kafka_user(system.kafka) as kafka:
        for unknown_type in ("Bogus1", "Bogus2"):
            await kafka.replies_to(await kafka.publish(unknown_type, new_id(), ONE_ITEM))
        async with httpx.AsyncClient(base_url=system.http) as http:
            metrics = (await http.get("/metrics")).text

    assert 'checkout_commands_total{door="kafka",outcome="rejected",type="unknown"}' in metrics
    assert "Bogus" not in metrics
