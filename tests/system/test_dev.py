"""`checkout dev` runs the whole system in one process and keeps its data across restarts."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.eventually import eventually
from tests.system.dev_process import CHECKOUT
from tests.system.http_user import ITEMS
from tests.system.kafka_user import header, kafka_user

READY_WITHIN = 30


@pytest.fixture
def start(tmp_path):
    """A function that starts `checkout dev` on one directory; teardown kills all of its processes."""
    started = []

    def start(*arguments):
        command = [
            CHECKOUT,
            "dev",
            "--json",
            "--http-port",
            "0",
            "--data",
            tmp_path / "new" / "data",
        ]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CHECKOUT_")}
        process = subprocess.Popen(
            [*command, *arguments], stdout=subprocess.PIPE, text=True, env=environment
        )
        started.append(process)
        ready = json.loads(process.stdout.readline())
        return process, ready

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def client(ready):
    headers = {"Authorization": f"Bearer {ready['api_key']}"}
    return httpx.Client(base_url=ready["http"], headers=headers, timeout=30)


def stop(process, number=signal.SIGTERM):
    process.send_signal(number)
    assert process.wait(5) == 0


def test_dev_is_ready_within_30_s_and_prints_one_json_line(start, tmp_path):
    begun = time.monotonic()
    process, ready = start()
    assert time.monotonic() - begun < READY_WITHIN

    assert list(ready) == ["http", "kafka", "api_key", "data"]
    assert ready["http"].startswith("http://127.0.0.1:")
    assert ready["kafka"].startswith("127.0.0.1:")
    assert ready["data"] == str(tmp_path / "new" / "data")
    with client(ready) as http:
        assert http.get("/readyz").json()["status"] == "ready"
        assert http.post("/v1/checkouts", json={"items": ITEMS}).status_code == 201
    stop(process)
    assert process.stdout.read() == ""


def test_checkouts_outcomes_and_the_api_key_survive_a_restart(start):
    process, first = start()
    with client(first) as http:
        again = {"Idempotency-Key": "before the restart"}
        created = http.post("/v1/checkouts", json={"items": ITEMS}, headers=again)
        path = created.headers["location"]
        closed = http.post(f"{path}/cancel")
    stop(process, signal.SIGINT)

    process, second = start()

    assert second["api_key"] == first["api_key"]
    with client(second) as http:
        shown = http.get(path)
        assert (shown.json(), shown.headers["etag"]) == (closed.json(), closed.headers["etag"])
        assert 'checkout_views_read_total{origin="redis"} 1.0' in http.get("/metrics").text
        repeated = http.post("/v1/checkouts", json={"items": ITEMS}, headers=again)
        assert (repeated.status_code, repeated.json()) == (201, created.json())
        assert repeated.headers["idempotent-replayed"] == "true"
    stop(process)


async def test_events_are_published_again_to_the_new_kafka_after_a_restart(start):
    process, first = start()
    with client(first) as http:
        path = http.post("/v1/checkouts", json={"items": ITEMS}).headers["location"]
        version = int(http.get(path).headers["etag"].strip('"'))
    stop(process)

    _, second = start()

    async with kafka_user(second["kafka"]) as kafka:
        events = await kafka.events_of(path.rpartition("/")[2], version)
    assert [int(header(event, "ce_sequence")) for event in events] == [*range(1, version + 1)]


def test_no_acknowledged_write_is_lost_after_a_kill(start):
    process, first = start()
    with client(first) as http:
        created = [http.post("/v1/checkouts", json={"items": ITEMS}) for _ in range(5)]
    process.kill()
    process.wait()

    _, second = start()

    with client(second) as http:
        shown = [http.get(answer.headers["location"]) for answer in created]
    assert [answer.json() for answer in shown] == [answer.json() for answer in created]


def test_a_new_api_key_option_keeps_the_earlier_key_valid(start):
    process, first = start("--api-key", "the first")
    assert first["api_key"] == "the first"
    stop(process)

    _, second = start("--api-key", "the second")

    assert second["api_key"] == "the second"
    for key in ("the first", "the second"):
        with client(second | {"api_key": key}) as http:
            assert http.get("/v1/checkouts/none").status_code == 404


def test_a_broken_key_file_turns_readiness_red_while_known_keys_stay_valid(start):
    process, ready = start()
    Path(ready["data"], "api-keys.json").write_text("{")

    with client(ready) as http:
        eventually(lambda: http.get("/readyz").json()["checks"]["keys"] != "ok", within=5)

        assert http.get("/readyz").status_code == 503
        assert http.get("/v1/checkouts/none").status_code == 404
    stop(process)
