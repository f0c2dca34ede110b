"""What a payment leaves in the store: one attempt with a sealed token, one end, one answer to each door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from domain.commands import CancelCheckout, UpdateCheckout
from domain.events import Channel
from domain.rejection import Rejection, RejectionCode
from services.command_handling import Accepted, Answer, CommandEnvelope, Handler, Rejected
from services.event_store import Attempt, EventStore, StoreUnavailable
from tests.services.command_handling.given import (
    TOKEN_KEYS,
    FailingStore,
    accepted,
    envelope,
    handler_on,
    stream,
    versions,
)
from tests.services.command_handling.paying import (
    AMOUNT,
    TOKEN,
    attempt_of,
    attempts_of,
    complete,
    ready,
    taken,
    turned_down,
)

NO = Rejection(RejectionCode.PAYMENT_DECLINED, "The card was declined.", "$.payment_data")
ENDS = pytest.mark.parametrize("end", [taken, turned_down], ids=["paid", "declined"])
End = Callable[[Attempt], CommandEnvelope]
UP_TO_THE_END = [1, 2, 3, 4, 5, 6]
"""The versions of a checkout that is opened in four events, paid for, and told how that ended."""


def shown(answer: Answer) -> dict[str, object]:
    """The checkout in an answer."""
    return orjson.loads(accepted(answer).view.body)


def handled_at_last(handler: Handler, command: CommandEnvelope) -> Answer:
    for _ in range(10):
        try:
            [answer] = handler.handle([command])
        except StoreUnavailable:
            handler.forget()
        else:
            return answer
    raise AssertionError("never handled")


@pytest.fixture
def paying(store: EventStore) -> tuple[Handler, Attempt, CommandEnvelope]:
    """A handler, and a payment over HTTP that has started on it."""
    handler, command = handler_on(store), complete(channel=Channel.HTTP)
    handler.handle([ready(), command])
    return handler, attempt_of(store), command


def test_a_complete_leaves_an_attempt_over_the_recorded_total(store: EventStore):
    command = complete(channel=Channel.HTTP)
    _, answer = handler_on(store).handle([ready(), command])

    assert (accepted(answer).is_paying, shown(answer)["status"]) == (True, "in_progress")
    attempt = attempt_of(store)
    assert (attempt.checkout_id, attempt.command_key, attempt.state) == ("a", command.key, "open")
    assert (attempt.amount, attempt.currency, attempt.provider) == (AMOUNT, "usd", "stripe")
    started = stream(store)[-1].event
    assert (started.attempt_id, started.amount) == (attempt.attempt_id, AMOUNT)


@ENDS
def test_the_token_is_nowhere_but_sealed_in_the_attempts_row(
    store: EventStore, tmp_path: Path, end: End
):
    handler, command = handler_on(store), complete(channel=Channel.HTTP)
    handler.handle([ready()])
    answers = handler.handle([command])
    attempt = attempt_of(store)

    assert orjson.loads(TOKEN_KEYS.decrypt(attempt.sealed, attempt.attempt_id))["token"] == TOKEN
    answers += handler.handle([end(attempt), command])
    assert attempt_of(store).sealed is None
    told = [command, command.command, answers, attempt, stream(store)]
    told += [store.read([command.key], []), *(getattr(a, "view", None) for a in answers)]
    assert TOKEN not in repr(told)
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert any(attempt.attempt_id.encode() in held for held in files)
    assert not [held for held in files if TOKEN.encode() in held]


def test_a_token_that_is_refused_leaves_no_trace(store: EventStore, tmp_path: Path):
    handler = handler_on(store)

    [answer] = handler.handle([complete()])

    assert answer.rejection.code is RejectionCode.NOT_FOUND
    assert attempts_of(store) == []
    assert not [p for p in tmp_path.iterdir() if TOKEN.encode() in p.read_bytes()]


@pytest.mark.parametrize("ask", [UpdateCheckout.parse({"items": []}), CancelCheckout()])
def test_a_running_payment_takes_no_command(store: EventStore, paying, ask):
    handler, attempt, _ = paying

    refused = handler.handle([envelope(ask), complete()])

    assert [answer.rejection.code for answer in refused] == [RejectionCode.IN_PROGRESS] * 2
    assert attempts_of(store) == [attempt]


def test_a_repeat_while_the_payment_runs_starts_no_second_one(store: EventStore, paying):
    handler, attempt, command = paying

    answers = handler.handle([command]) + handler_on(store).handle([command])

    assert [(a.repeated, a.is_paying) for a in map(accepted, answers)] == [(True, True)] * 2
    assert attempts_of(store) == [attempt]


def test_a_repeat_over_http_gets_the_completed_checkout_once_it_is_paid(store: EventStore, paying):
    handler, attempt, command = paying
    [settled] = handler.handle([taken(attempt)])

    for again in (handler.handle([command]), handler_on(store).handle([command])):
        [answer] = again
        assert answer == replace(accepted(settled), repeated=True)
        assert not accepted(answer).is_paying
    assert shown(answer)["payment"]["id"] == "pay_1"
    assert versions(store) == UP_TO_THE_END


def test_a_repeat_over_http_gets_the_rejection_once_it_is_declined(store: EventStore, paying):
    handler, attempt, command = paying
    [settled] = handler.handle([turned_down(attempt)])

    assert shown(settled)["status"] == "ready_for_payment"
    assert handler.handle([command]) == [Rejected(NO, repeated=True)]
    assert handler_on(store).handle([command]) == [Rejected(NO, repeated=True)]


def test_the_answer_of_a_declined_complete_stays_while_a_later_one_is_paid(
    store: EventStore, paying
):
    handler, attempt, first = paying
    second = complete(channel=Channel.HTTP)
    handler.handle([turned_down(attempt), second])
    [other] = [a for a in attempts_of(store) if a.state == "open"]
    handler.handle([taken(other)])

    refused, paid = handler.handle([first, second])

    assert refused == Rejected(NO, repeated=True)
    assert shown(paid)["status"] == "completed"
    assert attempt.attempt_id != other.attempt_id


@ENDS
def test_a_repeat_over_kafka_gets_the_first_reply_also_after_the_end(store: EventStore, end: End):
    handler, command = handler_on(store), complete(channel=Channel.KAFKA)
    _, first = handler.handle([ready(), command])
    handler.handle([end(attempt_of(store))])

    for again in (handler.handle([command]), handler_on(store).handle([command])):
        assert again == [replace(accepted(first), repeated=True)]
    assert (first.view.version, shown(first)["status"]) == (5, "in_progress")
    assert versions(store) == UP_TO_THE_END


@ENDS
def test_an_end_that_is_handed_in_twice_is_recorded_once(store: EventStore, paying, end: End):
    handler, attempt, _ = paying
    [first] = handler.handle([end(attempt)])

    for again in (handler.handle([end(attempt)]), handler_on(store).handle([end(attempt)])):
        assert again == [replace(accepted(first), repeated=True)]
    assert versions(store) == UP_TO_THE_END


@ENDS
def test_an_end_whose_connection_was_lost_in_the_commit_is_found_and_not_refused(
    store: EventStore, end: End
):
    failing = FailingStore(store)
    handler, command = handler_on(failing), complete(channel=Channel.HTTP)
    handler.handle([ready(), command])
    attempt, failing.fail_after_commit = attempt_of(store), 1

    answer = handled_at_last(handler, end(attempt))

    assert isinstance(answer, Accepted)
    assert answer.view.version == 6
    assert versions(store) == UP_TO_THE_END
    assert attempt_of(store).state == "settled"


@ENDS
def test_an_end_whose_connection_was_lost_before_the_commit_is_recorded_once(
    store: EventStore, end: End
):
    failing = FailingStore(store)
    handler = handler_on(failing)
    handler.handle([ready(), complete(channel=Channel.HTTP)])
    attempt, failing.fail_before_commit = attempt_of(store), 2

    assert accepted(handled_at_last(handler, end(attempt))).view.version == 6
    assert versions(store) == UP_TO_THE_END


def test_a_start_whose_connection_was_lost_in_the_commit_is_one_attempt(store: EventStore):
    failing = FailingStore(store)
    handler = handler_on(failing)
    handler.handle([ready()])
    failing.fail_after_commit = 1

    answer = handled_at_last(handler, complete(channel=Channel.HTTP, remembered=False))

    assert accepted(answer).is_paying
    assert len(attempts_of(store)) == 1
    assert versions(store) == UP_TO_THE_END[:-1]


@ENDS
@pytest.mark.parametrize("channel", ["kafka", "http"])
def test_the_end_names_the_complete_that_started_it(store: EventStore, end: End, channel: str):
    handler = handler_on(store)
    command = complete(channel=channel, source="/shop", command_id="c-1", actor="the shop")
    handler.handle([ready(), command])

    handler.handle([end(attempt_of(store))])

    start, last = (recorded.metadata for recorded in stream(store)[-2:])
    assert last == start.model_copy(update={"channel": Channel.INTERNAL})
    assert (last.command_source, last.command_id, last.actor) == ("/shop", "c-1", "the shop")
    assert last.correlation_id == command.correlation_id
