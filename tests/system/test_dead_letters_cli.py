"""`checkout dead-letters list` and `show`: output for people and for scripts."""

import json
import re
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.services.command_line import checkout
from tests.system.dev_process import DevProcess
from tests.system.faulty_system import publish_dead_letter
from tests.system.kafka_records import RawRecord, valid_command, valid_structured_command
from tests.system.kafka_user import KafkaUser, new_id
from tests.system.record_variants import without_header

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


async def test_list_prints_place_time_reason_checkout_and_source_of_each_dead_letter(
    kafka: KafkaUser, dead_letters: Run
):
    raw = without_header("ce_source")()
    place = await publish_dead_letter(kafka, raw)

    ended = dead_letters("list", "--checkout", raw.key and raw.key.decode())

    assert (ended.returncode, ended.stderr) == (0, "")
    [line] = ended.stdout.splitlines()
    fields = line.split("  ")
    assert [fields[0], *fields[2:4]] == [place, "missing_attributes", raw.key and raw.key.decode()]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", fields[1])
    assert re.fullmatch(r"from checkout\.commands 1:\d+", fields[4])


async def test_the_checkout_filter_uses_the_subject_before_the_key(
    kafka: KafkaUser, dead_letters: Run
):
    by_subject = [without_header("ce_id")(), valid_structured_command(id=None)]
    places = [await publish_dead_letter(kafka, raw) for raw in by_subject]
    subjects = [dict(by_subject[0].headers)["ce_subject"], by_subject[1].key]

    for place, subject in zip(places, subjects, strict=True):
        [letter] = lines(dead_letters("list", "--checkout", (subject or b"").decode(), "--json"))
        assert f"{letter['partition']}:{letter['offset']}" == place


async def test_list_filters_by_reason_and_prints_each_dead_letter_once(
    kafka: KafkaUser, dead_letters: Run
):
    key = new_id()
    places = {
        await publish_dead_letter(kafka, RawRecord(key.encode(), f"[{number}]".encode(), EVENT, ""))
        for number in range(5)
    }

    letters = lines(dead_letters("list", "--reason", "malformed_structured_event", "--json"))

    listed = [f"{letter['partition']}:{letter['offset']}" for letter in letters]
    assert places <= set(listed)
    assert len(listed) == len(set(listed))
    assert {letter["reason"] for letter in letters} == {"malformed_structured_event"}
    assert lines(dead_letters("list", "--reason", "internal", "--json")) == []


def test_list_and_retry_report_that_nothing_matched(dead_letters: Run):
    for call in (["list"], ["retry"]):
        ended = dead_letters(*call, "--checkout", new_id())
        assert (ended.returncode, ended.stdout) == (0, "There are no such dead letters.\n")


async def test_show_prints_the_whole_dead_letter_with_indented_json(
    kafka: KafkaUser, dead_letters: Run
):
    raw = without_header("ce_source")()
    place = await publish_dead_letter(kafka, raw)

    ended = dead_letters("show", place)

    assert (ended.returncode, ended.stderr) == (0, "")
    shown = ended.stdout.splitlines()
    assert shown[0].startswith(place)
    assert "dl_reason: missing_attributes" in shown
    assert f"key: {raw.key and raw.key.decode()}" in shown
    assert f"ce_id: {raw.command_id}" in shown
    assert json.loads(ended.stdout[ended.stdout.index("{") :]) == json.loads(raw.value or b"")
    assert '      "id": "item_123",' in shown


async def test_control_characters_are_escaped(kafka: KafkaUser, dead_letters: Run):
    steering = "\x1b[2J\u202e\x9b\r"
    headers = [("x\x1b", steering.encode()), ("null", None), ("raw", b"\xff")]
    place = await publish_dead_letter(kafka, RawRecord(b"k\x1b]0;", b"v\x1b[1m\xff\n", headers, ""))

    for ended in (dead_letters("show", place), dead_letters("list")):
        assert ended.returncode == 0
        assert all(c.isprintable() or c == "\n" for c in ended.stdout)
    shown = dead_letters("show", place).stdout.splitlines()
    assert r"x\x1b: \x1b[2J\u202e\x9b\r" in shown
    assert {"null: (null)", r"raw: \xff", r"key: k\x1b]0;"} <= set(shown)
    assert shown[-1] == r"v\x1b[1m\xff\n"


async def test_show_json_prints_text_as_text_and_other_bytes_in_base64(
    kafka: KafkaUser, dead_letters: Run
):
    headers = [("ñ", "☂".encode()), ("ñ", b"\xff"), ("none", None)]
    place = await publish_dead_letter(kafka, RawRecord(b"\xff\xfe", None, headers, ""))

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


async def test_forged_dl_headers_of_a_publisher_do_not_override_ours(
    kafka: KafkaUser, dead_letters: Run
):
    raw = without_header("ce_source")()
    forged = [("dl_reason", b"internal"), ("dl_truncated", b"true")]
    place = await publish_dead_letter(
        kafka, RawRecord(raw.key, raw.value, [*raw.headers, *forged], "")
    )

    [shown] = lines(dead_letters("show", place, "--json"))

    assert (shown["reason"], shown["truncated"]) == ("missing_attributes", False)
    assert {"name": "dl_truncated", "value": "true"} in shown["headers"]


@pytest.mark.parametrize("place", ["0:999999", "77:0"])
def test_show_fails_where_there_is_no_dead_letter(dead_letters: Run, place: str):
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
def test_bad_usage_exits_with_2(dead_letters: Run, arguments: list[str]):
    assert dead_letters(*arguments).returncode == 2


EVENT = [("content-type", b"application/cloudevents+json")]


async def test_an_accepted_command_is_not_listed(kafka: KafkaUser, dead_letters: Run):
    raw = valid_command()
    await kafka.request("CreateCheckout", (raw.key or b"").decode(), json.loads(raw.value or b""))

    assert lines(dead_letters("list", "--checkout", (raw.key or b"").decode(), "--json")) == []
