"""A command acts once, however often it comes."""

from dataclasses import replace

from domain.events import Channel
from domain.rejection import RejectionCode, invalid
from services.command_handling import Rejected
from services.event_store import EventStore
from tests.services.command_handling.given import (
    accepted,
    cancel,
    create,
    envelope,
    handler_on,
    update,
    versions,
)


def test_a_repeat_gets_the_first_answer_and_records_nothing(store: EventStore):
    handler, command = handler_on(store), create()

    [first] = handler.handle([command])
    [again] = handler.handle([command])

    assert accepted(again) == replace(accepted(first), repeated=True)
    assert versions(store) == [1, 2, 3]


def test_a_repeat_is_known_to_another_process_too(store: EventStore):
    command = create()
    [first] = handler_on(store).handle([command])

    [again] = handler_on(store).handle([command])

    assert accepted(again) == replace(accepted(first), repeated=True)


def test_twenty_of_the_same_in_one_batch_are_one_effect_and_twenty_equal_answers(
    store: EventStore,
):
    answers = handler_on(store).handle([create(command_id="same") for _ in range(20)])

    assert len({accepted(answer).view.body for answer in answers}) == 1
    assert [accepted(answer).repeated for answer in answers] == [False] + [True] * 19
    assert versions(store) == [1, 2, 3]


def test_a_repeat_shows_the_checkout_as_the_command_left_it_not_as_it_is_now(store: EventStore):
    handler, command = handler_on(store), create()
    [first] = handler.handle([command])
    handler.handle([update(quantity=7), cancel()])

    [again] = handler.handle([command])

    assert accepted(again).view == accepted(first).view


def test_a_rejection_is_remembered_even_when_the_command_would_be_accepted_now(store: EventStore):
    handler, early = handler_on(store), update()
    [refused] = handler.handle([early])
    handler.handle([create()])

    [again] = handler.handle([early])

    assert isinstance(refused, Rejected)
    assert refused.rejection.code is RejectionCode.NOT_FOUND
    assert again == replace(refused, repeated=True)


def test_a_message_that_could_not_be_read_is_remembered_as_refused(store: EventStore):
    handler, broken = handler_on(store), envelope(invalid("not JSON", "$"))

    first, again = (handler.handle([broken])[0] for _ in range(2))

    assert first == Rejected(invalid("not JSON", "$"))
    assert again == Rejected(invalid("not JSON", "$"), repeated=True)


def test_the_same_identity_for_something_else_is_a_conflict_and_is_not_remembered(
    store: EventStore,
):
    handler = handler_on(store)
    [first] = handler.handle([create(command_id="same")])

    [other] = handler.handle([create(command_id="same", quantity=9)])
    [again] = handler.handle([create(command_id="same")])

    assert isinstance(other, Rejected)
    assert other.rejection.code is RejectionCode.IDEMPOTENCY_CONFLICT
    assert accepted(again).view == accepted(first).view


def test_an_identity_of_one_door_is_nothing_to_another_door(store: EventStore):
    handler = handler_on(store)
    handler.handle([create(command_id="same")])

    [answer] = handler.handle([create("b", command_id="same", channel=Channel.HTTP)])

    assert not accepted(answer).repeated


def test_source_and_id_are_told_apart(store: EventStore):
    handler = handler_on(store)
    handler.handle([create(source="/a", command_id="b/c")])

    [answer] = handler.handle([create("b", source="/a/b", command_id="c")])

    assert not accepted(answer).repeated


def test_a_command_without_a_memory_leaves_no_outcome(store: EventStore):
    handler, command = handler_on(store), create(remembered=False)
    handler.handle([command])

    assert store.read([command.key], []).outcomes == {}
