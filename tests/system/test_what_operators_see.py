"""A command's end leaves a line and a count, and its trace goes on to all that comes of it."""

import logging
import uuid

import httpx

from services.dev.system import dev_system
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import header, kafka_user, new_id

TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"
KEY = "an idempotency key is a secret"


def ends(caplog) -> dict[str, dict]:
    """The lines of commands' ends, by correlation id."""
    lines = [vars(r) for r in caplog.records if r.name == "checkout.commands"]
    return {line["correlation_id"]: line for line in lines}


async def test_the_end_of_each_command_is_a_line_and_a_count(tmp_path, caplog):
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

    over_http, over_kafka = ends(caplog)[correlation], ends(caplog)[by_kafka]
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
    for counted in (
        'checkout_commands_total{door="http",outcome="accepted",type="CreateCheckout"}',
        'checkout_commands_total{door="kafka",outcome="rejected",type="CancelCheckout"}',
        "checkout_decide_seconds_count",
        "checkout_append_seconds_count",
        "checkout_relay_lag_events 0.0",
        "checkout_projection_lag_seconds",
        "checkout_command_lag_commands 0.0",
    ):
        assert counted in metrics


async def test_types_that_a_publisher_made_up_share_one_metric(tmp_path):
    async with dev_system(tmp_path, "key") as system, kafka_user(system.kafka) as kafka:
        for made_up in ("Bogus1", "Bogus2"):
            await kafka.replies_to(await kafka.publish(made_up, new_id(), ONE_ITEM))
        async with httpx.AsyncClient(base_url=system.http) as http:
            metrics = (await http.get("/metrics")).text

    assert 'checkout_commands_total{door="kafka",outcome="rejected",type="unknown"}' in metrics
    assert "Bogus" not in metrics
