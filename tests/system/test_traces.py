"""Traces across HTTP, Kafka, the event store and Redis, as a collector receives them."""

import os
import subprocess
import sys

import httpx
import pytest

from services.dev.system import dev_system
from services.runtime import tracing
from services.runtime.settings import BadSetting
from tests.eventually import eventually_async
from tests.system.collector import Collector, otlp_collector
from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import header, kafka_user, new_id

HTTP_TRACE, KAFKA_TRACE = "a" * 32, "c" * 32
SECRETS = ("secret-key", "secret-query", "secret-body", "secret-again")
STEPS = {"handle", "append", "write views", "publish checkout.events", "process checkout.events"}
KAFKA_STEPS = {"process checkout.commands", "publish checkout.replies"}


def names_in(collector: Collector, trace: str) -> set[str]:
    """The names of spans that belong to a trace or link to it."""
    identity = bytes.fromhex(trace)
    return {
        span.name
        for span in collector.spans()
        if span.trace_id == identity or any(link.trace_id == identity for link in span.links)
    }


async def test_a_trace_spans_both_channels_up_to_the_views_and_holds_no_secret(
    tmp_path, monkeypatch
):
    with otlp_collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        with tracing.exporting_traces("dev"):
            async with dev_system(tmp_path, "secret-key") as system:
                bearer = {"Authorization": "Bearer secret-key"}
                async with (
                    httpx.AsyncClient(base_url=system.http, headers=bearer) as http,
                    kafka_user(system.kafka) as kafka,
                ):
                    given = {
                        "traceparent": f"00-{HTTP_TRACE}-{'b' * 16}-01",
                        "Idempotency-Key": "secret-again",
                    }
                    buyer = {"first_name": "secret-body", "last_name": "X", "email": "x@y.example"}
                    body = ONE_ITEM | {"buyer": buyer}
                    created = await http.post("/v1/checkouts", json=body, headers=given)
                    await http.get("/v1/checkouts/x?secret-query=1")
                    by_http = await kafka.events_of(created.json()["id"], 4)
                    traced = f"00-{KAFKA_TRACE}-{'d' * 16}-01"
                    other = new_id()
                    await kafka.publish("CreateCheckout", other, ONE_ITEM, traceparent=traced)
                    by_kafka = await kafka.events_of(other, 3)

                    async def all_steps_are_exported() -> bool:
                        over_http = names_in(collector, HTTP_TRACE)
                        over_kafka = names_in(collector, KAFKA_TRACE)
                        return over_http == STEPS | {"POST /v1/checkouts"} and (
                            over_kafka == STEPS | KAFKA_STEPS
                        )

                    await eventually_async(all_steps_are_exported)

    [request] = collector.spans_named("POST /v1/checkouts")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (HTTP_TRACE, "b" * 16)
    expected_traceparent = f"00-{HTTP_TRACE}-{request.span_id.hex()}-01"
    assert {header(event, "traceparent") for event in by_http} == {expected_traceparent}
    assert {header(event, "traceparent") for event in by_kafka} == {traced}
    exported = b"".join(collector.bodies)
    assert not [secret for secret in SECRETS if secret.encode() in exported]


def test_without_an_endpoint_nothing_is_traced(monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    with tracing.exporting_traces("api"), tracing.request_span(None) as span:
        assert span.traceparent() is None
        assert tracing.span("append", "CLIENT") is tracing.span("other", "CLIENT")


def test_an_unreachable_collector_does_not_delay_the_exit():
    program = (
        "from services.runtime import tracing\n"
        "with tracing.exporting_traces('api'), tracing.request_span(None):\n"
        "    pass\n"
    )
    unreachable = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}

    subprocess.run([sys.executable, "-c", program], env=unreachable, timeout=7, check=True)


def test_a_missing_sdk_is_reported_with_the_setting_that_needs_it(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    message = r"OTEL_EXPORTER_OTLP_ENDPOINT .*checkout\[otel\]"

    with pytest.raises(BadSetting, match=message), tracing.exporting_traces("api"):
        pass
