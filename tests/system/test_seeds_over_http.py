"""The curl calls of the original requirements get exactly the required responses."""

import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from tests.example_files import EXAMPLES, example
from tests.system.dev_process import DevProcess


def curl(dev, method, path, request=None):
    """Run curl; returns the status and the parsed body."""
    command = ["curl", "--silent", "--show-error", "--max-time", "20", "-X", method]
    command += [f"{dev.http}{path}", "-H", f"Authorization: Bearer {dev.api_key}"]
    if request:
        command += ["-H", "Content-Type: application/json"]
        command += ["-d", f"@{EXAMPLES / request}.json"]
    ended = subprocess.run(
        [*command, "--write-out", "\n%{http_code}"], capture_output=True, text=True, check=True
    )
    body, _, status = ended.stdout.rpartition("\n")
    return int(status), json.loads(body)


@pytest.fixture
def checkout(dev: DevProcess):
    """Create a checkout from the example request; returns its path and the response."""
    status, created = curl(dev, "POST", "/v1/checkouts", "create.request")
    assert status == 201
    return f"/v1/checkouts/{created['id']}", created


def expected(name, checkout):
    return example(name) | {"id": checkout["id"]}


def test_create_returns_the_example_response(checkout):
    _, created = checkout

    assert created == expected("create.response", created)
    assert created["id"].startswith("checkout_")


def test_get_returns_the_example_response(dev, checkout):
    path, created = checkout

    assert curl(dev, "GET", path) == (200, expected("get.response", created))


def test_update_returns_the_example_response(dev, checkout):
    path, created = checkout

    status, updated = curl(dev, "PUT", path, "update.request")

    assert (status, updated) == (200, expected("update.response", created))
    assert curl(dev, "GET", path) == (200, updated)


def test_cancel_after_an_update_returns_the_example_response(dev, checkout):
    path, created = checkout
    curl(dev, "PUT", path, "update.request")

    status, canceled = curl(dev, "POST", f"{path}/cancel", "cancel.request")

    at = datetime.fromisoformat(canceled["canceled_at"])
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    expected_body = expected("cancel.response", created) | {"canceled_at": canceled["canceled_at"]}
    assert (status, canceled) == (200, expected_body)
    assert curl(dev, "GET", path) == (200, canceled)
