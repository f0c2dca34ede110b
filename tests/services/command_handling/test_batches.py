"""A batch is decided in order, written in one transaction, and answered one by one."""

import time
from datetime import timedelta

import orjson

from domain.rejection import RejectionCode
from services.command_handling import Expired, Rejected
from services.event_store import EventStore
from tests.services.command_handling.given import (
    NOON,
    accepted,
    cancel,
    create,
    handler_on,
    stream,
    update,
    versions,
)


def test_each_command_of_a_batch_sees_what_the_ones_before_it_did(store: EventStore):
    batch = [create(), update(quantity=2), cancel(), update(quantity=3), create("b")]

    created, updated, canceled, late, other = handler_on(store).handle(batch)

    found = [accepted(a).view.version for a in (created, updated, canceled, other)]
    assert found == [3, 5, 6, 3]
    assert isinstance(late, Rejected)
    assert late.rejection.code is RejectionCode.CHECKOUT_CLOSED
    assert versions(store) == [*range(1, 7)]


def test_who_asked_is_recorded_with_each_event(store: EventStore):
    command = create(actor="shop", correlation_id="order 7", traceparent="00-a-b-01")
    handler_on(store).handle([command])

    assert {recorded.metadata for recorded in stream(store)} == {command.metadata}


def test_an_update_that_changes_nothing_is_accepted_and_records_nothing(store: EventStore):
    handler = handler_on(store)
    handler.handle([create(quantity=2)])

    [answer] = handler.handle([update(quantity=2)])

    assert accepted(answer).view.version == 3
    assert versions(store) == [1, 2, 3]


def test_the_time_of_events_never_goes_back_though_the_clock_does(store: EventStore):
    clock = iter([NOON, NOON - timedelta(hours=1)])
    handler = handler_on(store, lambda: next(clock))

    handler.handle([create()])
    handler.handle([update()])

    times = [recorded.at for recorded in stream(store)]
    assert times == [NOON] * 5


def test_what_nobody_waits_for_any_more_is_not_begun(store: EventStore):
    [answer] = handler_on(store).handle([create(expires_at=time.monotonic() - 1)])

    assert answer == Expired()
    assert versions(store) == []


def test_an_answer_is_the_checkout_as_get_shows_it(store: EventStore):
    [answer] = handler_on(store).handle([create(quantity=4)])

    shown = orjson.loads(accepted(answer).view.body)
    assert shown["id"] == "a"
    assert shown["line_items"][0]["item"]["quantity"] == 4


def test_a_stale_expected_version_is_refused(store: EventStore):
    handler = handler_on(store)
    handler.handle([create()])

    stale, fresh = handler.handle([update(expected_version=2), update(expected_version=3)])

    assert isinstance(stale, Rejected)
    assert stale.rejection.code is RejectionCode.VERSION_MISMATCH
    assert accepted(fresh).view.version == 5
