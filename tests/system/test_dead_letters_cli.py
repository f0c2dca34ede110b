"""`checkout dead-letters list` and `show`: what is there, for people and for scripts."""

import json
import re
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.services.command_line import checkout
from tests.system.dev_process import DevProcess
from tests.system.faulty_system import put_aside
from tests.system.kafka_records import Raw, good, good_event
from tests.system.kafka_user import KafkaUser, new_id
from tests.system.spoiling import no_header

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def dead_letters(dev: DevProcess) -> Run:
    def run(*arguments: object) -> CompletedProcess[str]:
        kafka = {"CHECKOUT_KAFKA_BOOTSTRAP_SERVERS": dev.kafka}
        return checkout("dead-letters", *arguments, **kafka)

    return run


def lines(ended: CompletedProcess[str]) -> list[Any]:
    assert (ended.returncode, ended.stderr) == (0, "")
    return [json.loads(line) for line in ended.stdout.splitlines()]


async def test_each_is_a_line_with_place_time_reason_checkout_and_where_it_came_from(
    kafka: KafkaUser, dead_letters: Run
):
    raw = no_header("ce_source")()
    place = await put_aside(kafka, raw)

    ended = dead_letters("list", "--checkout", raw.key and raw.key.decode())

    assert (ended.returncode, ended.stderr) == (0, "")
    [line] = ended.stdout.splitlines()
    told = line.split("  ")
    assert [told[0], *told[2:4]] == [place, "missing_attributes", raw.key and raw.key.decode()]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", told[1])
    assert re.fullmatch(r"from checkout\.commands 1:\d+", told[4])


async def test_a_checkout_is_known_by_its_subject_before_its_key(
    kafka: KafkaUser, dead_letters: Run
):
    by_subject = [no_header("ce_id")(), good_event(id=None)]
    places = [await put_aside(kafka, raw) for raw in by_subject]
    subjects = [dict(by_subject[0].headers)["ce_subject"], by_subject[1].key]

    for place, subject in zip(places, subjects, strict=True):
        [found] = lines(dead_letters("list", "--checkout", (subject or b"").decode(), "--json"))
        assert f"{found['partition']}:{found['offset']}" == place


async def test_they_are_listed_by_reason_each_once(kafka: KafkaUser, dead_letters: Run):
    key = new_id()
    places = {
        await put_aside(kafka, Raw(key.encode(), f"[{number}]".encode(), EVENT, ""))
        for number in range(5)
    }

    found = lines(dead_letters("list", "--reason", "malformed_structured_event", "--json"))

    told = [f"{letter['partition']}:{letter['offset']}" for letter in found]
    assert places <= set(told)
    assert len(told) == len(set(told))
    assert {letter["reason"] for letter in found} == {"malformed_structured_event"}
    assert lines(dead_letters("list", "--reason", "internal", "--json")) == []


def test_it_is_said_when_there_are_none(dead_letters: Run):
    for call in (["list"], ["retry"]):
        ended = dead_letters(*call, "--checkout", new_id())
        assert (ended.returncode, ended.stdout) == (0, "There are no such dead letters.\n")


async def test_one_is_shown_whole_with_its_json_laid_out(kafka: KafkaUser, dead_letters: Run):
    raw = no_header("ce_source")()
    place = await put_aside(kafka, raw)

    ended = dead_letters("show", place)

    assert (ended.returncode, ended.stderr) == (0, "")
    shown = ended.stdout.splitlines()
    assert shown[0].startswith(place)
    assert "dl_reason: missing_attributes" in shown
    assert f"key: {raw.key and raw.key.decode()}" in shown
    assert f"ce_id: {raw.command_id}" in shown
    assert json.loads(ended.stdout[ended.stdout.index("{") :]) == json.loads(raw.value or b"")
    assert '      "id": "item_123",' in shown


async def test_what_could_steer_a_terminal_is_escaped(kafka: KafkaUser, dead_letters: Run):
    steering = "\x1b[2J\u202e\x9b\r"
    headers = [("x\x1b", steering.encode()), ("null", None), ("raw", b"\xff")]
    place = await put_aside(kafka, Raw(b"k\x1b]0;", b"v\x1b[1m\xff\n", headers, ""))

    for ended in (dead_letters("show", place), dead_letters("list")):
        assert ended.returncode == 0
        assert all(c.isprintable() or c == "\n" for c in ended.stdout)
    shown = dead_letters("show", place).stdout.splitlines()
    assert r"x\x1b: \x1b[2J\u202e\x9b\r" in shown
    assert {"null: (null)", r"raw: \xff", r"key: k\x1b]0;"} <= set(shown)
    assert shown[-1] == r"v\x1b[1m\xff\n"


async def test_a_script_gets_text_as_text_and_other_bytes_in_base64(
    kafka: KafkaUser, dead_letters: Run
):
    headers = [("ñ", "☂".encode()), ("ñ", b"\xff"), ("none", None)]
    place = await put_aside(kafka, Raw(b"\xff\xfe", None, headers, ""))

    [shown] = lines(dead_letters("show", place, "--json"))

    assert shown["key"] == {"base64": "//4="}
    assert shown["value"] is None
    assert [(header["name"], header["value"]) for header in shown["headers"]] == [
        ("ñ", "☂"),
        ("ñ", {"base64": "/w=="}),
        ("none", None),
    ]
    assert shown["facts"]["reason"] == shown["reason"] == "missing_attributes"
    assert (shown["checkout"], shown["checkout_version"]) == (None, None)


async def test_headers_that_look_like_ours_are_the_publishers(kafka: KafkaUser, dead_letters: Run):
    raw = no_header("ce_source")()
    forged = [("dl_reason", b"internal"), ("dl_truncated", b"true")]
    place = await put_aside(kafka, Raw(raw.key, raw.value, [*raw.headers, *forged], ""))

    [shown] = lines(dead_letters("show", place, "--json"))

    assert (shown["reason"], shown["truncated"]) == ("missing_attributes", False)
    assert {"name": "dl_truncated", "value": "true"} in shown["headers"]


@pytest.mark.parametrize("place", ["0:999999", "77:0"])
def test_a_place_without_one_is_a_failure(dead_letters: Run, place: str):
    ended = dead_letters("show", place)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"checkout: there is no dead letter at {place}\n"


BAD_USAGE = {
    "no place": ["show"],
    "not a place": ["show", "12"],
    "a negative one": ["retry", "0:-1"],
    "an unknown reason": ["list", "--reason", "bad luck"],
    "nothing to retry": ["retry"],
    "places and a filter": ["retry", "0:1", "--reason", "internal"],
}


@pytest.mark.parametrize("arguments", BAD_USAGE.values(), ids=BAD_USAGE)
def test_bad_usage_ends_with_2(dead_letters: Run, arguments: list[str]):
    assert dead_letters(*arguments).returncode == 2


EVENT = [("content-type", b"application/cloudevents+json")]


async def test_a_good_command_is_none(kafka: KafkaUser, dead_letters: Run):
    raw = good()
    await kafka.ask("CreateCheckout", (raw.key or b"").decode(), json.loads(raw.value or b""))

    assert lines(dead_letters("list", "--checkout", (raw.key or b"").decode(), "--json")) == []
