"""Log lines: one JSON object each for services, plain text for a person; both on standard error."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

SECRET = "42-42-42"
PROGRAM = """
import logging
from services.runtime.log_config import configure_logging

configure_logging({arguments})
logger = logging.getLogger("checkout.test")
logger.debug("too quiet")
logger.info("%d of\\nthem", 3)
def fail(secret):
    raise RuntimeError("boom")


try:
    fail("-".join(["42"] * 3))
except RuntimeError:
    logger.exception("it broke")
"""


def logged(arguments=""):
    program = PROGRAM.format(arguments=arguments)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout == ""
    return ended.stderr


def test_each_line_is_a_json_object_with_time_level_logger_and_event():
    first, second = map(json.loads, logged().splitlines())

    assert abs(datetime.now(UTC) - datetime.fromisoformat(first.pop("timestamp"))) < timedelta(
        minutes=1
    )
    assert first == {"level": "info", "logger": "checkout.test", "event": "3 of\nthem"}
    assert (second["level"], second["event"]) == ("error", "it broke")


def test_a_traceback_stays_inside_its_line():
    [*_, last] = logged().splitlines()

    assert "RuntimeError: boom" in json.loads(last)["exception"]


def test_a_level_leaves_out_what_is_below_it():
    [only] = map(json.loads, logged("level=logging.ERROR").splitlines())

    assert only["event"] == "it broke"


def test_a_person_gets_text_without_colours_in_a_file():
    text = logged("as_json=False")

    assert "it broke" in text
    assert "RuntimeError: boom" in text
    assert "\x1b" not in text
    assert not text.startswith("{")


def test_a_person_is_shown_no_variables_of_a_failing_frame():
    text = logged("as_json=False")

    assert "RuntimeError: boom" in text
    assert SECRET not in text
