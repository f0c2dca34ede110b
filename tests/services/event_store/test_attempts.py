"""Payment attempts: written and settled with their events, and worked on by one worker at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import DataError

from domain.events import PaymentDeclined, PaymentStarted
from domain.rejection import Rejection, RejectionCode
from services.event_store import (
    Attempt,
    AttemptClosure,
    AttemptState,
    Conflict,
    EventStore,
    open_store,
)
from services.event_store import payment_attempt_sql as statements
from tests.services.event_store.conftest import OpenStore
from tests.services.event_store.samples import NOW, event, outcome

STARTED = PaymentStarted(attempt_id="attempt_1", amount=2250, currency="usd", provider="stripe")
DECLINED = PaymentDeclined(attempt_id="attempt_1", code="card_declined", message="No.")
REFUSED = Rejection(RejectionCode.PAYMENT_DECLINED, "No.", "$.payment_data")
LEASE = 30.0


def attempt(name: object = 1, **more: Any) -> Attempt:
    facts = {
        "attempt_id": f"attempt_{name}",
        "checkout_id": "one",
        "command_key": f"http:{name}",
        "amount": 2250,
        "currency": "usd",
        "provider": "stripe",
        "metadata": '{"actor": "shop"}',
        "sealed": b"\x01 sealed \x00\xff",
        "started_at": NOW - 60.5,
    }
    return Attempt(**facts | more)


def start(store: EventStore, channel: str = "http", **more: Any) -> Attempt:
    """A checkout whose payment has started."""
    started = attempt(command_key=f"{channel}:1", **more)
    events = [event("one", 1), event("one", 2, STARTED)]
    store.append(events, [outcome(f"{channel}:1", "one", 2)], [started])
    return started


def settle(store: EventStore, rejection: Rejection | None = None, version: int = 3) -> None:
    paid = None if rejection else "pay_1"
    ended = AttemptClosure("attempt_1", version, rejection, paid, NOW + 5)
    store.append([event("one", version, DECLINED)], side_rows=[ended])


def names(attempts: list[Attempt]) -> list[str]:
    return [found.attempt_id for found in attempts]


def test_an_attempt_comes_back_as_it_was_written(store: EventStore):
    started = start(store)

    assert store.attempts.get("attempt_1") == started
    assert store.attempts.get("attempt_2") is None


def test_a_conflict_leaves_no_attempt(store: EventStore):
    store.append([event("one", 1)])

    with pytest.raises(Conflict):
        start(store)

    assert store.attempts.get("attempt_1") is None


def test_an_attempt_that_is_there_already_leaves_no_event_and_no_outcome(store: EventStore):
    start(store)

    with pytest.raises(Conflict):
        store.append([event("two", 1)], [outcome("http:2", "two")], [attempt(2), attempt(1)])

    assert store.version("two") == 0
    assert store.read(["http:2"], ()).outcomes == {}
    assert store.attempts.get("attempt_2") is None


def test_an_attempt_that_the_database_can_not_hold_leaves_nothing(store: EventStore):
    with pytest.raises((DataError, OverflowError)):
        start(store, amount=2**70)

    assert store.version("one") == 0
    assert store.read(["http:1"], ()).outcomes == {}
    assert store.attempts.get("attempt_1") is None


def test_what_is_claimed_is_nobody_elses_until_its_lease_runs_out(store: EventStore):
    start(store)

    [mine] = store.attempts.claim("me", NOW, LEASE, 10)
    assert store.attempts.claim("you", NOW + LEASE - 0.1, LEASE, 10) == []
    [yours] = store.attempts.claim("you", NOW + LEASE, LEASE, 10)

    assert (mine.lease_owner, mine.lease_until, mine.asks) == ("me", NOW + LEASE, 1)
    assert (yours.lease_owner, yours.lease_until, yours.asks) == ("you", NOW + 2 * LEASE, 2)


def test_four_workers_that_claim_at_once_never_share_an_attempt(open_another: OpenStore):
    stores = [open_another() for _ in range(4)]
    stores[0].append((), side_rows=[attempt(n) for n in range(80)])

    def claim_all(number: int) -> list[str]:
        mine: list[str] = []
        while found := stores[number].attempts.claim(f"worker {number}", NOW, LEASE, 3):
            mine += names(found)
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = [name for mine in pool.map(claim_all, range(4)) for name in mine]

    left = names(stores[0].attempts.claim("late", NOW, LEASE, 100))
    assert sorted(claimed + left) == sorted(f"attempt_{n}" for n in range(80))


def test_what_is_due_first_is_claimed_first_and_nothing_before_its_time(store: EventStore):
    dues = {"last": NOW + 30.0, "first": NOW + 10.0, "second": NOW + 20.0}
    store.append((), side_rows=[attempt(name, due_at=due) for name, due in dues.items()])

    assert store.attempts.claim("me", NOW + 9.9, LEASE, 3) == []
    found = [names(store.attempts.claim("me", NOW + 25, LEASE, 1)) for _ in range(3)]

    assert found == [["attempt_first"], ["attempt_second"], []]


def test_who_lets_go_of_an_attempt_says_when_it_is_due_again(store: EventStore):
    start(store)
    [mine] = store.attempts.claim("me", NOW, LEASE, 1)

    assert store.attempts.release(mine, NOW + 7.5, "no answer")

    assert store.attempts.claim("you", NOW + 7.4, LEASE, 1) == []
    [again] = store.attempts.claim("you", NOW + 7.5, LEASE, 1)
    assert (again.note, again.sealed) == ("no answer", mine.sealed)


def test_who_lost_the_lease_changes_nothing(store: EventStore):
    start(store)
    [mine] = store.attempts.claim("me", NOW, LEASE, 1)
    [yours] = store.attempts.claim("you", NOW + LEASE, LEASE, 1)

    assert not store.attempts.release(mine, 0.0, "too late", AttemptState.BY_HAND)

    assert store.attempts.get("attempt_1") == yours


@pytest.mark.parametrize("state", [AttemptState.BY_HAND, AttemptState.REFUNDED])
def test_an_attempt_that_is_let_go_for_good_is_not_claimed_again(
    store: EventStore, state: AttemptState
):
    start(store)
    [mine] = store.attempts.claim("me", NOW, LEASE, 1)

    assert store.attempts.release(mine, 0.0, "done", state)

    assert store.attempts.claim("you", NOW + 2 * LEASE, LEASE, 1) == []
    assert store.attempts.get("attempt_1").state == state


@pytest.mark.parametrize("rejection", [None, REFUSED], ids=["paid", "declined"])
def test_the_end_deletes_the_token_and_is_the_answer_to_a_complete_over_http(
    store: EventStore, rejection: Rejection | None
):
    start(store)
    first = store.read(["http:1"], ()).outcomes["http:1"]
    [claimed] = store.attempts.claim("me", NOW, LEASE, 1)

    settle(store, rejection)

    ended = store.attempts.get("attempt_1")
    assert (ended.state, ended.sealed, ended.lease_owner) == ("settled", None, None)
    assert ended.payment_id == (None if rejection else "pay_1")
    last = store.read(["http:1"], ()).outcomes["http:1"]
    assert (last.version, last.rejection, last.recorded_at) == (3, rejection, NOW + 5)
    assert last.fingerprint == first.fingerprint
    assert not store.attempts.release(claimed, 0.0, "asked again")
    assert store.attempts.claim("you", NOW + 2 * LEASE, LEASE, 1) == []


@pytest.mark.parametrize("rejection", [None, REFUSED], ids=["paid", "declined"])
def test_the_end_leaves_the_answer_to_a_complete_over_kafka(
    store: EventStore, rejection: Rejection | None
):
    start(store, "kafka")
    first = store.read(["kafka:1"], ()).outcomes

    settle(store, rejection)

    assert store.read(["kafka:1"], ()).outcomes == first
    assert store.attempts.get("attempt_1").sealed is None


def test_an_end_that_somebody_else_recorded_first_settles_nothing(store: EventStore):
    started = start(store)

    with pytest.raises(Conflict):
        settle(store, REFUSED, version=2)

    assert store.attempts.get("attempt_1") == started
    assert store.read(["http:1"], ()).outcomes["http:1"].version == 2


def test_only_what_is_settled_can_be_due_for_a_refund(store: EventStore):
    start(store)
    assert not store.attempts.came_late("attempt_1", "pay_9", NOW)
    assert [a.state for a in store.attempts.claim("me", NOW - 9.0, 5.0, 1)] == ["open"]
    settle(store, REFUSED)

    assert store.attempts.came_late("attempt_1", "pay_9", NOW)
    assert not store.attempts.came_late("attempt_1", "pay_10", NOW)

    [due] = store.attempts.claim("me", NOW + 1, LEASE, 1)
    assert (due.state, due.payment_id, due.sealed) == ("refund_due", "pay_9", None)
    # The provider's memory of a refund begins with the first time that it is asked for.
    assert due.started_at == NOW


def test_what_waits_is_counted_with_its_oldest(store: EventStore):
    assert store.attempts.waiting() == {}
    states = ["open", "open", "by_hand", "refund_due", "settled", "refunded"]
    store.append(
        (), side_rows=[attempt(n, state=s, started_at=NOW - n) for n, s in enumerate(states)]
    )

    assert store.attempts.waiting() == {
        AttemptState.OPEN: (2, NOW - 1),
        AttemptState.BY_HAND: (1, NOW - 2),
        AttemptState.REFUND_DUE: (1, NOW - 3),
    }


def test_attempts_are_paged_by_id_whatever_their_order_in_the_table(store: EventStore):
    others = [attempt("x", state="settled"), attempt("y", state="by_hand")]
    store.append((), side_rows=[*(attempt(n) for n in (4, 1, 3, 0, 2)), *others])
    wanted = [AttemptState.OPEN, AttemptState.BY_HAND]

    pages, after = [], ""
    for _ in range(4):
        pages.append(names(store.attempts.page(wanted, after, 2)))
        after = pages[-1][-1] if pages[-1] else after

    listed = [name.removeprefix("attempt_") for page in pages for name in page]
    assert listed == ["0", "1", "2", "3", "4", "y"]
    assert [len(page) for page in pages] == [2, 2, 2, 0]


def test_a_lease_by_a_clock_that_was_far_ahead_is_no_lease(store: EventStore):
    start(store)
    assert store.attempts.claim("ahead", NOW + 5_000.0, LEASE, 1)

    [mine] = store.attempts.claim("me", NOW, LEASE, 1)

    assert (mine.lease_owner, mine.lease_until) == ("me", NOW + LEASE)


def test_an_attempt_is_held_only_while_no_worker_has_it_and_then_no_worker_gets_it(
    store: EventStore,
):
    start(store)
    assert store.attempts.claim("me", NOW, LEASE, 1)

    assert not store.attempts.hold("attempt_1", NOW + LEASE - 0.1)
    assert store.attempts.hold("attempt_1", NOW + LEASE)
    assert store.attempts.claim("you", NOW + 2 * LEASE, LEASE, 1) == []

    assert store.attempts.ask_again("attempt_1", NOW + 2 * LEASE)
    assert not store.attempts.ask_again("attempt_1", NOW + 2 * LEASE)
    assert len(store.attempts.claim("you", NOW + 2 * LEASE, LEASE, 1)) == 1


def test_on_sqlite_what_was_settled_is_not_looked_through_for_what_is_due(tmp_path: Path):
    """Its planner takes the index of those that wait only for the very words of its condition."""
    store = open_store(f"sqlite:///{tmp_path / 'events.db'}")
    facts = {"owner": "me", "now": NOW, "until": NOW, "longest": NOW, "limit": 1}

    plan = store.attempts._rows(
        f"EXPLAIN QUERY PLAN {statements.CLAIM.format(skip_locked='')}", facts
    )

    assert "payment_attempts_waiting" in str(plan)
    store.close()
