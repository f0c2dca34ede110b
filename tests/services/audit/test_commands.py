"""`checkout audit history`, `show` and `diff`, for a person and for a script."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from projections.checkout_view import render
from services.audit.as_of import as_of
from services.event_store import EventStore
from tests.services.audit.given import Shop, remove, whole_life
from tests.services.command_line import checkout

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def audit(database: str) -> Run:
    return lambda *arguments: checkout("audit", *arguments, CHECKOUT_EVENT_STORE_URL=database)


def test_a_history_is_read_by_people_and_by_scripts(shop: Shop, audit: Run):
    whole_life(shop)

    read, piped = audit("history", "a"), audit("history", "a", "--json")

    assert (read.returncode, read.stderr, piped.returncode) == (0, "", 0)
    assert [line for line in read.stdout.splitlines() if not line.startswith("   ")][3:5] == [
        "4  2026-11-21T12:02:00Z  ItemsUpdated",
        "5  2026-11-21T12:02:00Z  CheckoutPriced",
    ]
    assert "   item_123 × 2 → × 3; item_456 × 1 added at 500; subtotal 2000 → 3500" in read.stdout
    entries = [json.loads(line) for line in piped.stdout.splitlines()]
    assert [entry["version"] for entry in entries] == [*range(1, 14)]
    assert entries[-1]["total_after"] == 3750


def test_what_could_steer_a_terminal_is_escaped(shop: Shop, audit: Run):
    shop.create()
    shop.cancel(message="\x1b[2J\u202e\x9b\nnew line")

    for call in (["history", "a"], ["show", "a"], ["diff", "a", 3, 4]):
        told = audit(*call).stdout
        assert all(character.isprintable() or character == "\n" for character in told)
        assert r"\u202e" in told
        assert "\nnew line" not in told


def test_a_checkout_is_shown_as_get_shows_it(shop: Shop, store: EventStore, audit: Run):
    whole_life(shop)

    def shown(*options: object) -> object:
        ended = audit("show", "a", *options, "--json")
        assert (ended.returncode, ended.stderr) == (0, "")
        return json.loads(ended.stdout)

    assert shown() == render(as_of(store, "a"))
    assert shown("--version", 5) == render(as_of(store, "a", 5))
    assert shown("--at", "2026-11-21T14:02:30+02:00") == render(as_of(store, "a", 5))


def test_a_person_is_shown_it_laid_out_and_told_which_version_it_is(shop: Shop, audit: Run):
    whole_life(shop)

    ended = audit("show", "a", "--at", "2026-11-21T12:03:59.999999Z")

    assert json.loads(ended.stdout)["buyer"]["first_name"] == "Jane"
    assert '\n  "status": "not_ready_for_payment",' in ended.stdout
    assert ended.stderr == "Version 6 of 2026-11-21T12:03:00Z\n"


def test_two_versions_are_told_apart_by_fields(shop: Shop, audit: Run):
    whole_life(shop)

    read, piped = audit("diff", "a", 3, 5), audit("diff", "a", 5, 3, "--json")

    assert "  $.line_items[item_123].item.quantity: 2 → 3\n" in read.stdout
    assert {"path": "$.totals[total].amount", "old": 3500, "new": 2000} in [
        json.loads(line) for line in piped.stdout.splitlines()
    ]
    same = audit("diff", "a", 5, 5)
    assert (same.returncode, same.stdout) == (0, "Nothing that is shown differs.\n")
    assert audit("diff", "a", 5, 5, "--json").stdout == ""


NOT_THERE = {
    "an unknown checkout's history": (
        ["history", "b"],
        "there is no checkout b in the event store",
    ),
    "an unknown checkout": (["show", "b"], "there is no checkout b in the event store"),
    "a version beyond the last": (["show", "a", "--version", 4], "checkout a has no version 4"),
    "a difference to none": (["diff", "a", 3, 4], "checkout a has no version 4"),
    "a time before": (
        ["show", "a", "--at", "2026-11-21T11:59:59Z"],
        "checkout a was not there yet at 2026-11-21T11:59:59+00:00",
    ),
}


@pytest.mark.parametrize(("call", "told"), NOT_THERE.values(), ids=NOT_THERE)
def test_what_is_not_there_is_a_failure_told_on_stderr(shop: Shop, audit: Run, call, told):
    shop.create()

    ended = audit(*call)

    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"checkout: {told}\n")


def test_a_broken_stream_is_told_as_far_as_it_can_be_read(shop: Shop, audit: Run, database: str):
    whole_life(shop)
    remove(database, "a", 4)

    history, show = audit("history", "a"), audit("show", "a")

    assert history.returncode == 1
    assert "   ! the stream is broken here: a: version 5, not 4\n" in history.stdout
    assert "13  2026-11-21T12:09:00Z  CheckoutCompleted\n" in history.stdout
    assert (show.returncode, show.stdout) == (1, "")
    assert show.stderr == "checkout: a: version 5, not 4\n"


BAD_USAGE = {
    "no id": (["history"], "ID"),
    "an id that none can have": (["history", "a b"], "ID"),
    "a version that none is": (["show", "a", "--version", 0], "--version"),
    "a version and a time": (["show", "a", "--version", 1, "--at", "2026-11-21T12:00:00Z"], "--at"),
    "a time without an offset": (["show", "a", "--at", "2026-11-21T12:00:00"], "--at"),
    "a day that there is not": (["show", "a", "--at", "2026-02-30T12:00:00Z"], "--at"),
    "one version to compare": (["diff", "a", 1], "version_b"),
}


@pytest.mark.parametrize(("call", "named"), BAD_USAGE.values(), ids=BAD_USAGE)
def test_bad_usage_ends_with_2(tmp_path: Path, call, named):
    ended = checkout("audit", *call, CHECKOUT_EVENT_STORE_URL=f"sqlite:///{tmp_path}/events.db")

    assert ended.returncode == 2
    assert named.lower() in ended.stderr.lower()
    assert "Traceback" not in ended.stderr


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path):
    for url in (None, f"sqlite:///{tmp_path}/typo.db"):
        settings = {"CHECKOUT_EVENT_STORE_URL": url} if url else {}
        ended = checkout("audit", "history", "a", **settings)
        assert ended.returncode == 2
        assert "CHECKOUT_EVENT_STORE_URL" in ended.stderr
    assert list(tmp_path.iterdir()) == []


COMMANDS = [
    *(["audit", name] for name in ("history", "show", "diff", "verify", "replay")),
    *(["views", name] for name in ("check", "rebuild")),
    ["audit"],
    ["views"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_explains_itself(command):
    ended = checkout(*command, "--help")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert " ".join(["Usage: checkout", *command]) in ended.stdout


REPLAYS = {
    "no topic": [],
    "an unknown event": ["--to", "t", "--type", "Nonsense"],
    "a time without an offset": ["--to", "t", "--since", "2026-11-21"],
    "a rate that is none": ["--to", "t", "--rate", "0"],
    "a limit that is none": ["--to", "t", "--limit", "0"],
    "a position that is none": ["--to", "t", "--from", "-1"],
    "an id that fits no header": ["--to", "t", "--replay-id", "é"],
    "an id that no checkout has": ["--to", "t", "--checkout", "a b"],
}


@pytest.mark.parametrize("options", REPLAYS.values(), ids=REPLAYS)
def test_a_replay_that_makes_no_sense_is_bad_usage(options):
    ended = checkout("audit", "replay", *options)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Invalid value" in ended.stderr or "Missing option" in ended.stderr


def test_a_verification_of_the_store_alone_tells_what_it_left_out(shop: Shop, audit: Run):
    whole_life(shop)

    told, silent = audit("verify"), audit("verify", "--without-redis", "--without-kafka")

    assert (told.returncode, told.stdout) == (0, "13 events of 1 checkouts: no violations\n")
    assert told.stderr.count("is not set: that part is not verified") == 2
    assert (silent.stdout, silent.stderr) == (told.stdout, "")


def test_a_violation_is_a_line_of_text_or_of_json(shop: Shop, audit: Run, database: str):
    whole_life(shop)
    remove(database, "a", 4)
    store_alone = ["--without-redis", "--without-kafka"]

    read, piped = audit("verify", *store_alone), audit("verify", *store_alone, "--json")

    what = "follows version 3: 1 event is missing"
    assert (read.returncode, piped.returncode) == (1, 1)
    assert read.stdout.splitlines()[0] == f"a version 5: {what}"
    assert json.loads(piped.stdout.partition("\n")[0]) == {
        "checkout": "a",
        "version": 5,
        "what": what,
    }
    assert audit("verify", *store_alone, "b").stdout.splitlines() == [
        "b: is not in the event store",
        "0 events of 0 checkouts: 1 violations",
    ]
