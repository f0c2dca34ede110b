"""Schemathesis goes by `/openapi.json`, and the service answers as that says, whatever it is sent."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.dev_process import DevProcess

HERE = Path(__file__).parent
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
# Hypothesis gives up on one round of scenarios early, so that those go on for a time, in seconds.
RUNS = {"examples,coverage,fuzzing": (), "stateful": ("--max-time", "30")}
OPERATIONS = 10
CASES = 2_000


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    """A system of its own: thousands of checkouts would be in the way of other tests."""
    process = DevProcess.start(tmp_path_factory.mktemp("dev"))
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def runs(system, tmp_path_factory):
    return [run(system, phases, tmp_path_factory.mktemp("schemathesis")) for phases in RUNS]


def run(system, phases, directory):
    ended = subprocess.run(
        [
            *(SCHEMATHESIS, "--config-file", HERE / "schemathesis.toml", "run"),
            *("--phases", phases, *RUNS[phases], "--checks", "all", "--continue-on-failure"),
            *("--header", f"Authorization: Bearer {system.api_key}"),
            *("--report-json-path", directory / "report.json"),
            f"{system.http}/openapi.json",
        ],
        cwd=directory,
        env=os.environ
        | {
            "SCHEMATHESIS_HOOKS": f"{__package__}.schemathesis_hooks",
            "PYTHONPATH": HERE.parents[1],
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    return ended.stdout, json.loads((directory / "report.json").read_bytes())


def test_every_answer_is_as_the_document_says(runs):
    for told, report in runs:
        assert report["failures"] == report["errors"] == [], told
        assert report["exit_code"] == 0, told


def test_every_call_is_tried_in_every_phase_with_thousands_of_cases(runs):
    for phases, (told, report) in zip(RUNS, runs, strict=True):
        assert report["complete"], told
        statuses = {name: phase["status"] for name, phase in report["phases"].items()}
        assert {statuses[phase] for phase in phases.split(",")} == {"success"}
        assert report["operations"]["total"] == OPERATIONS
    assert sum(report["test_cases"]["generated"] for _, report in runs) >= CASES


@pytest.mark.usefixtures("runs")
async def test_the_cases_get_as_far_as_orders_and_cancellations(system):
    async with system.client() as client:
        for status in ("not_ready_for_payment", "ready_for_payment", "completed", "canceled"):
            page = (await client.get("/v1/checkouts", params={"status": status})).json()
            assert page["total_count"] > 0, status
