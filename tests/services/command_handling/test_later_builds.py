"""A command on a checkout with an event of a later build waits for that build, and no other notices."""

from __future__ import annotations

import orjson
import pytest
from eventsourcing.persistence import StoredEvent

from domain.commands import RecordPayment
from domain.rejection import Rejection, RejectionCode, of_later_build
from services.command_handling import Answer, Rejected
from services.event_store import EventStore, Outcome
from services.event_store.event_mapper import PydanticMapper
from services.messages.errors import flat_error
from tests.services.command_handling.given import (
    accepted,
    cancel,
    create,
    envelope,
    handler_on,
    stream,
    update,
    versions,
)

TOPIC = "CheckoutTeleported:1"
LATER = Rejected(of_later_build(TOPIC))


def record_later_event(store: EventStore, version: int, checkout_id: str = "a") -> None:
    """Record what only a later build can, as its process would."""
    handled = [] if version == 1 else stream(store, checkout_id)
    if handled:
        state = PydanticMapper().to_stored_event(handled[-1]).state
    else:
        handler_on(store).handle([create("model of " + checkout_id)])
        state = PydanticMapper().to_stored_event(stream(store, "model of " + checkout_id)[0]).state
    later = orjson.dumps(orjson.loads(state) | {"data": {"to": "the moon"}})
    store._recorder.insert_events([StoredEvent(checkout_id, version, TOPIC, later)])


def code_of(answer: Answer) -> str:
    assert isinstance(answer, Rejected), answer
    return str(flat_error(answer.rejection)["type"])


@pytest.mark.parametrize("is_cached", [True, False], ids=["cached", "not cached"])
def test_only_its_own_commands_are_rejected(store: EventStore, is_cached: bool):
    handler = handler_on(store)
    handler.handle([create("a"), create("b")])
    record_later_event(store, 4)
    if not is_cached:
        handler.forget()
    paid = RecordPayment(attempt_id="attempt_1", payment_id="pi_1")

    answers = handler.handle(
        [update("a"), update("b"), cancel("a"), envelope(paid, remembered=False)]
    )

    assert [answers[0], *answers[2:]] == [LATER] * 3
    assert code_of(answers[0]) == "service_unavailable"
    assert accepted(answers[1]).view.version == 5
    assert versions(store, "a") == [1, 2, 3, 4]


def test_the_rejection_is_not_remembered(store: EventStore):
    handler = handler_on(store)
    handler.handle([create()])
    record_later_event(store, 4)
    again = update()

    assert handler.handle([again, again]) == [LATER, LATER]
    assert store.read([again.key], []).outcomes == {}
    assert handler.handle([again]) == [LATER]


def test_a_command_that_was_handled_before_keeps_its_answer(store: EventStore):
    handler = handler_on(store)
    first = create()
    before = accepted(handler.handle([first])[0])
    record_later_event(store, 4)

    assert accepted(handler.handle([first])[0]).view == before.view


def test_a_checkout_that_begins_with_such_an_event_stops_no_other(store: EventStore):
    record_later_event(store, 1)
    asked = create("a")

    answers = handler_on(store).handle([asked, create("b"), update("a")])

    assert [answers[0], answers[2]] == [LATER, LATER]
    assert accepted(answers[1]).view.version == 3
    assert store.read([asked.key], []).outcomes == {}
    assert set(store.current(["a", "b"])) == {"b"}
    assert len(store.sweep(0, 100)[1]) == 2


def test_what_is_known_of_the_checkout_is_shown_at_its_version(store: EventStore):
    handler_on(store).handle([create(quantity=3)])
    known = store.current(["a"])["a"]
    record_later_event(store, 4)

    shown = store.current(["a"])["a"]

    assert (shown.version, shown.unknown_topic) == (4, TOPIC)
    assert (shown.line_items, shown.totals) == (known.line_items, known.totals)


def test_an_outcome_with_a_code_of_a_later_build_is_read(store: EventStore):
    handler = handler_on(store)
    asked = create()
    later = Rejection(RejectionCode.INVALID, "no such coupon")
    later.code = "coupon_expired"  # type: ignore[assignment]
    store.append([], [Outcome(asked.key, asked.fingerprint, "a", 0, later, 0)])

    [answer] = handler.handle([asked])

    assert isinstance(answer, Rejected)
    assert answer.rejection.code is RejectionCode.SERVICE_UNAVAILABLE
    assert "coupon_expired" in answer.rejection.message
