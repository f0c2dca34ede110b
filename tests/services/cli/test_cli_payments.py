"""`checkout payments list` and `resolve`: what waits is told, and a person settles what no worker can."""

import json
import time
from pathlib import Path

import pytest

from domain.events import Channel
from services.event_store import AttemptState, open_store
from services.security.token_encryption import new_key_line
from tests.services.command_handling.given import handler_on, stream
from tests.services.command_handling.paying import (
    AMOUNT,
    TOKEN,
    attempts_of,
    complete,
    ready,
    turned_down,
)
from tests.services.command_line import checkout

BOOK = Path(__file__).parents[3] / "domain" / "demo_book.toml"


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path / 'events.db'}")
    yield opened
    opened.close()


@pytest.fixture
def payments(tmp_path):
    keys = tmp_path / "token-keys"
    keys.write_text(new_key_line("one"))

    def run(*arguments):
        return checkout(
            "payments",
            *arguments,
            CHECKOUT_EVENT_STORE_URL=f"sqlite:///{tmp_path / 'events.db'}",
            CHECKOUT_MERCHANT_FILE=BOOK,
            CHECKOUT_TOKEN_KEYS_FILE=keys,
        )

    return run


@pytest.fixture
def attempts(store):
    """One attempt that is open, one that waits for a person, one that was declined: by checkout."""
    handler = handler_on(store)
    for name in ("opened", "stuck", "declined"):
        handler.handle([ready(name), complete(name, channel=Channel.HTTP, actor="shop")])
    found = {attempt.checkout_id: attempt for attempt in attempts_of(store)}
    handler.handle([turned_down(found["declined"])])
    for claimed in store.attempts.claim("a worker", time.time(), 30.0, 10):
        state = AttemptState.BY_HAND if claimed.checkout_id == "stuck" else AttemptState.OPEN
        store.attempts.release(claimed, 1_900_000_000.0, f"{claimed.checkout_id} now", state)
    return found


@pytest.fixture
def stuck(attempts):
    return attempts["stuck"].attempt_id


def refused(ended, status, told):
    """Whether it ended so, with one line that says why, and nothing else."""
    assert (ended.returncode, ended.stdout) == (status, "")
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    return True


def test_the_list_of_nothing_says_so(payments, store):
    assert payments("list").stdout == "There are no such payment attempts.\n"
    assert (payments("list", "--json").stdout, payments("list").returncode) == ("", 0)


def test_the_list_shows_a_line_for_each_that_waits_and_no_token(payments, attempts):
    ended = payments("list")

    assert ended.returncode == 0
    lines = {line.split("  ")[1]: line.split("  ") for line in ended.stdout.splitlines()}
    assert set(lines) == {"opened", "stuck"}
    for name, state in (("opened", "open"), ("stuck", "by_hand")):
        attempt_id, _, *facts = lines[name]
        assert attempt_id == attempts[name].attempt_id
        started = "2026-11-21T12:00:00+00:00"
        assert facts == [state, f"{AMOUNT} usd", started, "asked 1 times", f"{name} now"]
    assert TOKEN not in ended.stdout + ended.stderr


def test_a_script_gets_a_json_line_for_each(payments, attempts):
    ended = payments("list", "--json", "--state", "open", "--state", "settled")

    found = {facts["checkout_id"]: facts for facts in map(json.loads, ended.stdout.splitlines())}
    assert set(found) == {"opened", "declined"}
    assert found["opened"] == {
        "attempt_id": attempts["opened"].attempt_id,
        "checkout_id": "opened",
        "state": "open",
        "amount": AMOUNT,
        "currency": "usd",
        "provider": "stripe",
        "started_at": "2026-11-21T12:00:00+00:00",
        "asks": 1,
        "asked_again_at": "2030-03-17T17:46:40+00:00",
        "payment_id": None,
        "note": "opened now",
    }


def test_the_list_of_a_state_that_there_is_not_is_bad_usage(payments, store):
    assert refused(payments("list", "--state", "lost"), 2, "--state")


def test_what_a_provider_said_does_nothing_to_the_terminal(payments, store):
    handler_on(store).handle([ready(), complete()])
    [claimed] = store.attempts.claim("a worker", time.time(), 30.0, 1)
    store.attempts.release(claimed, 0.0, "\x1b[2Jwiped\nnext", AttemptState.BY_HAND)

    ended = payments("list")

    assert ended.stdout.endswith("  \\x1b[2Jwiped\\nnext\n")
    assert len(ended.stdout.splitlines()) == 1


def test_a_list_of_more_than_a_page_is_whole(payments, store):
    handler = handler_on(store)
    names = [f"c{n}" for n in range(205)]
    handler.handle([ready(name) for name in names] + [complete(name) for name in names])

    found = [json.loads(line) for line in payments("list", "--json").stdout.splitlines()]

    assert sorted(facts["checkout_id"] for facts in found) == sorted(names)


def test_what_the_provider_took_becomes_an_order_in_the_resolvers_name(payments, store, stuck):
    ended = payments("resolve", stuck, "--paid", "pay_7", "--by", "Ada")

    assert (ended.returncode, ended.stdout) == (0, f"{stuck} is settled, version 6\n")
    started, completed = stream(store, "stuck")[-2:]
    assert completed.event.payment.id == "pay_7"
    assert completed.event.payment.amount == AMOUNT
    assert completed.metadata.actor == "operator Ada"
    assert completed.metadata.command_id == started.metadata.command_id
    assert started.metadata.actor == "shop"
    settled = store.attempts.get(stuck)
    assert (settled.state, settled.payment_id, settled.sealed) == ("settled", "pay_7", None)


@pytest.mark.parametrize(
    ("more", "told"),
    [([], "The payment could not be taken."), (["--message", "Try a card."], "Try a card.")],
)
def test_what_the_provider_did_not_take_is_declined(payments, store, stuck, more, told):
    ended = payments("resolve", stuck, "--declined", *more, "--json")

    assert json.loads(ended.stdout) == {
        "attempt_id": stuck,
        "version": 6,
        "outcome": "RecordDecline",
    }
    declined = stream(store, "stuck")[-1]
    assert (declined.event.code, declined.event.message) == ("by_hand", told)
    assert declined.metadata.actor.startswith("operator ")
    assert len(declined.metadata.actor) > len("operator ")


def test_an_open_attempt_is_held_before_it_can_be_resolved(payments, store, attempts):
    attempt_id = attempts["opened"].attempt_id

    assert refused(
        payments("resolve", attempt_id, "--declined"), 1, "take it from them with --hold"
    )
    assert payments("resolve", attempt_id, "--hold").stdout == f"{attempt_id} is held\n"
    assert payments("resolve", attempt_id, "--hold").returncode == 0
    assert payments("resolve", attempt_id, "--declined").returncode == 0
    assert store.attempts.get(attempt_id).state == "settled"
    assert refused(
        payments("resolve", attempt_id, "--hold"), 1, "no worker calls the provider for it"
    )


def test_what_is_held_can_be_given_back_to_the_workers(payments, store, stuck):
    assert payments("resolve", stuck, "--ask-again").stdout == f"{stuck} is asked again\n"

    assert store.attempts.get(stuck).state == "open"
    assert refused(payments("resolve", stuck, "--ask-again"), 1, "there is no call to repeat")


def test_an_attempt_that_a_worker_asks_about_is_left_to_it(payments, store, attempts):
    attempt_id = attempts["opened"].attempt_id
    store.attempts.hold(attempt_id, time.time())
    store.attempts.ask_again(attempt_id, time.time())
    [leased] = store.attempts.claim("a worker", time.time(), 30.0, 1)
    assert leased.attempt_id == attempt_id

    ended = payments("resolve", attempt_id, "--hold")

    assert refused(ended, 1, f"a worker is calling the provider for {attempt_id} now")
    assert "try again in " in ended.stderr
    assert store.attempts.get(attempt_id) == leased


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("nothing", ["--paid", "pay_7"], "there is no payment attempt attempt_nothing"),
        ("declined", ["--declined"], " is settled: there is nothing to resolve"),
    ],
)
def test_what_can_not_be_resolved_is_told_in_one_line(payments, attempts, name, arguments, told):
    attempt_id = attempts[name].attempt_id if name in attempts else f"attempt_{name}"

    ended = payments("resolve", attempt_id, *arguments)

    assert refused(ended, 1, told)
    assert len(ended.stderr.splitlines()) == 1


BAD_USAGE = {
    "both": (["--paid", "pay_7", "--declined"], "give one of --hold"),
    "neither": ([], "give one of --hold"),
    "a payment without an id": (["--paid", ""], "$.payment_id"),
    "a message that is empty": (["--declined", "--message", ""], "$.message"),
}


@pytest.mark.parametrize(("arguments", "told"), BAD_USAGE.values(), ids=BAD_USAGE)
def test_bad_usage_settles_nothing(payments, store, stuck, arguments, told):
    assert refused(payments("resolve", stuck, *arguments), 2, told)
    assert store.attempts.get(stuck).state == "by_hand"


def test_without_a_store_the_setting_is_named(tmp_path):
    for arguments in (["list"], ["resolve", "attempt_1", "--declined"]):
        ended = checkout("payments", *arguments)
        assert refused(ended, 2, "CHECKOUT_EVENT_STORE_URL is not set")


def test_what_a_person_gave_back_is_off_the_list(payments, store, attempts):
    late = attempts["declined"].attempt_id
    assert store.attempts.came_late(late, "pay_late", time.time())

    ended = payments("resolve", late, "--refunded", "--json")

    assert json.loads(ended.stdout) == {"attempt_id": late, "outcome": "refunded"}
    assert store.attempts.get(late).state == AttemptState.REFUNDED
    assert refused(payments("resolve", late, "--refunded"), 1, "no payment to refund")


def test_an_attempt_that_took_nothing_can_not_be_refunded(payments, stuck):
    assert refused(payments("resolve", stuck, "--refunded"), 1, "no payment")
